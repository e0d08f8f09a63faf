// What the type tests share: assertions about types, which cost nothing and run nowhere.

/** True only where the two types are the same, not just assignable to each other. */
export type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Doesn't compile unless `T` is `true`. */
export type Must<T extends true> = T;

/** Stands in for a value that a test needs only the type of. */
export declare function some<T>(): T;
