// The program of the README's recorded session (build/session.ts): a shop whose cart holds an item without a price.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct price {
  long cents;
};
struct item {
  char name[32];
  struct price *price;
};
struct cart {
  struct item items[8];
  int count;
};

__attribute__((noinline)) static long price_of(const struct item *item) { return item->price->cents; }

__attribute__((noinline)) static long total_of(const struct cart *cart) {
  long total = 0;
  for (int i = 0; i < cart->count; i++)
    total += price_of(&cart->items[i]);
  return total;
}

__attribute__((noinline)) static void handle_checkout(struct cart *cart) {
  printf("total %ld\n", total_of(cart));
}

int main(void) {
  static struct price apple = {120};
  struct cart *cart = calloc(1, sizeof *cart);
  strcpy(cart->items[0].name, "apple");
  cart->items[0].price = &apple;
  strcpy(cart->items[1].name, "gift card");
  cart->count = 2;
  handle_checkout(cart);
  return 0;
}
