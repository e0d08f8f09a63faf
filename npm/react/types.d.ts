// What the files of this folder hand each other. Pages have the types in ../react.d.ts.

/** What a component sees of a room. */
export interface View {
  readonly state: 'joining' | 'joined' | 'closed';
  readonly room: any;
  readonly self: any;
  readonly peers: readonly any[];
  readonly error: unknown;
}

/** A component that looks at a room. */
export interface Watcher {
  onView(view: View): void;
  onMessage(event: Event): void;
}
