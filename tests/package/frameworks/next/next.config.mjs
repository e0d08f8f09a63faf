// Next itself is in the node_modules of this repository, in a folder above the project.
export default { turbopack: { root: process.env.FRAMEWORKS } };
