// Search over the words of all pages. It needs no network: the index is a script beside this one.
"use strict";
const box = document.getElementById("search");
const list = document.getElementById("found");

// A page is found if each word that was typed begins one of its words. Titles count most, then headings.
const score = (page, typed) => {
  let sum = 0;
  for (const word of typed) {
    const title = page.title.toLowerCase().includes(word);
    const part = page.parts.some(([, text]) => text.toLowerCase().includes(word));
    const text = (" " + page.words).includes(" " + word);
    if (!title && !part && !text) return 0;
    sum += (title ? 10 : 0) + (part ? 4 : 0) + (text ? 1 : 0);
  }
  return sum;
};

const link = (href, text, kind) => {
  const item = document.createElement("li");
  const anchor = document.createElement("a");
  anchor.href = href;
  anchor.textContent = text;
  if (kind) anchor.className = kind;
  item.append(anchor);
  return item;
};

const show = () => {
  const typed = box.value.toLowerCase().split(/\s+/).filter(word => word.length > 1);
  list.replaceChildren();
  list.hidden = typed.length === 0;
  if (list.hidden) return;
  const found = window.searchIndex
    .map(page => [score(page, typed), page])
    .filter(([points]) => points > 0)
    .sort((a, b) => b[0] - a[0] || a[1].title.localeCompare(b[1].title))
    .slice(0, 20);
  for (const [, page] of found) {
    list.append(link(page.file, page.title));
    for (const [id, text] of page.parts) {
      if (typed.every(word => text.toLowerCase().includes(word))) list.append(link(page.file + "#" + id, text, "part"));
    }
  }
  if (found.length === 0) {
    const none = document.createElement("li");
    none.textContent = "nothing found";
    list.append(none);
  }
};

box.addEventListener("input", show);
document.addEventListener("keydown", pressed => {
  if (pressed.key === "/" && document.activeElement !== box) {
    pressed.preventDefault();
    box.focus();
  } else if (pressed.key === "Escape") {
    box.value = "";
    show();
    box.blur();
  }
});
