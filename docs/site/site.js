// What the theme leaves to do for keyboards and screen readers.
document.addEventListener("DOMContentLoaded", () => {
  for (const one of document.querySelectorAll("p.caption[role=heading]")) one.ariaLevel = "2";
  for (const one of document.querySelectorAll("article pre, article table")) one.tabIndex = 0;
  const contents = document.querySelector("aside.toc-drawer");
  if (contents) contents.ariaLabel = "On this page";
});
