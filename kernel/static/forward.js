// Goes on to the application at once; the page works without this, by its refresh and its link.
const onward = document.querySelector("[data-forward]");
if (onward instanceof HTMLFormElement) {
  onward.submit();
} else if (onward) {
  window.location.replace(onward.href);
}
