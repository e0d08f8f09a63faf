// Types that JSDoc can't express.

/** A list whose length the test knows: an element that it asks for is there. */
export type Known<Item> = {
  at(index: number): Item;
  pop(): Item;
  shift(): Item;
} & Item[];

/** The library sets these. */
declare module './fake_transport.js' {
  interface FakeTransport {
    onopen(): void;
    onmessage(text: any): void;
    onclose(reason?: any): void;
  }
}
