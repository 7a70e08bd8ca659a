export class Cart {
  private items: string[] = [];

  add(item: string) {
    this.items.push(item); // see https://example.org/TODO/list
  }

  checkout() {
    // your code here
  }

  // ... rest of the class unchanged ...
}
