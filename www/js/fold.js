// Opens the cards that are folded on a phone. A classic script at the end of the page, so that they
// are open before the first paint.

if (matchMedia('(min-width: 60rem)').matches) {
  for (const card of document.querySelectorAll('details.fold')) card.open = true;
}
