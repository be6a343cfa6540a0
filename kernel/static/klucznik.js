// What scripts add to our pages. Every page works without this file.

"use strict";

// Passwords: show what was typed, tell of Caps Lock, say how hard it is to guess.
for (const password of document.querySelectorAll("[data-password]")) {
  const input = password.querySelector("input");
  const show = password.querySelector("[data-show]");
  const capsLock = password.parentElement.querySelector("[data-caps-lock]");

  show.hidden = false;
  show.addEventListener("click", () => {
    const shown = input.type === "password";
    input.type = shown ? "text" : "password";
    show.setAttribute("aria-pressed", String(shown));
    show.setAttribute("aria-label", shown ? show.dataset.textHide : show.dataset.textShow);
    show.querySelector("[data-when-hidden]").hidden = shown;
    show.querySelector("[data-when-shown]").hidden = !shown;
    input.focus();
  });
  // A password never stays readable in a page that was left behind.
  input.form?.addEventListener("submit", () => { input.type = "password"; });

  const tellCapsLock = (event) => {
    if (event.getModifierState) capsLock.hidden = !event.getModifierState("CapsLock");
  };
  input.addEventListener("keydown", tellCapsLock);
  input.addEventListener("keyup", tellCapsLock);
  input.addEventListener("blur", () => { capsLock.hidden = true; });

  const meter = input.dataset.meter && document.getElementById(input.dataset.meter);
  if (meter) {
    const words = meter.querySelector(".meter-text");
    const texts = JSON.parse(words.dataset.texts);
    input.addEventListener("input", () => {
      const strength = strengthOf(input.value, Number(input.dataset.minimum));
      meter.hidden = input.value === "";
      meter.dataset.strength = String(strength);
      if (words.textContent !== texts[strength]) words.textContent = texts[strength];
    });
  }
}

// A rough guess for the eye alone; the server decides, with lists of known passwords.
function strengthOf(text, minimum) {
  const letters = Array.from(text);
  if (letters.length < minimum) return 0;
  const different = new Set(letters.map((letter) => letter.toLowerCase())).size;
  const kinds = [/\p{Ll}/u, /\p{Lu}/u, /\p{N}/u, /[^\p{L}\p{N}\s]/u, /\s/u].filter((kind) => kind.test(text)).length;
  let runs = 0;
  for (let place = 1; place < letters.length; place += 1) {
    const step = letters[place].codePointAt(0) - letters[place - 1].codePointAt(0);
    if (step >= -1 && step <= 1) runs += 1;
  }
  const surprise = Math.min(letters.length - runs, different * 1.5) + (kinds - 1) * 1.5;
  if (surprise < 9) return 1;
  if (surprise < 13) return 2;
  return surprise < 17 ? 3 : 4;
}

// Codes: groups of three or four are easier to compare with a phone; the server ignores spaces.
for (const input of document.querySelectorAll("[data-code]")) {
  const digits = Number(input.dataset.code);
  input.addEventListener("input", () => {
    const typed = input.value.replace(/\s+/g, "");
    if (typed.length === digits && /^\d+$/.test(typed) && !input.form.dataset.sent && input.dataset.submit !== undefined) {
      input.form.requestSubmit();
    }
  });
}

// A form is sent once, however often its button is pressed.
for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    event.submitter?.classList.add("is-working");
  });
}
// Back from the browser's memory: the form may be sent again.
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  for (const button of document.querySelectorAll(".is-working")) button.classList.remove("is-working");
});

// Several mistakes: start at their list, which leads to each.
document.querySelector("[data-summary]")?.focus();

// Leaving unsaved work asks first.
for (const form of document.querySelectorAll("form[data-unsaved]")) {
  let changed = false;
  form.addEventListener("input", () => { changed = true; });
  form.addEventListener("submit", () => { changed = false; });
  window.addEventListener("beforeunload", (event) => { if (changed) event.preventDefault(); });
}

// Menus close with Escape and with a click elsewhere.
for (const menu of document.querySelectorAll("[data-menu]")) {
  document.addEventListener("click", (event) => {
    if (menu.open && !menu.contains(event.target)) menu.open = false;
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && menu.open) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
}

// Row menus open at their dots; without scripts they open in the middle.
for (const button of document.querySelectorAll("[data-menu-button]")) {
  const panel = document.getElementById(button.getAttribute("popovertarget"));
  panel.addEventListener("toggle", (event) => {
    if (event.newState !== "open") return;
    const dots = button.getBoundingClientRect();
    const { width, height } = panel.getBoundingClientRect();
    const left = Math.min(Math.max(8, dots.right - width), window.innerWidth - width - 8);
    const below = dots.bottom + 4 + height <= window.innerHeight;
    panel.dataset.placed = "";
    panel.style.left = `${left}px`;
    panel.style.top = `${below ? dots.bottom + 4 : Math.max(8, dots.top - 4 - height)}px`;
  });
  window.addEventListener("scroll", () => { if (panel.matches(":popover-open")) panel.hidePopover(); }, { passive: true });
}

// The sidebar folds at once and is remembered by the form that does it without scripts.
for (const form of document.querySelectorAll("[data-fold]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    delete form.dataset.sent;
    const button = form.querySelector("button");
    const data = new FormData(form, button);
    const folded = document.documentElement.classList.toggle("is-folded");
    button.setAttribute("aria-expanded", String(!folded));
    button.classList.remove("is-working");
    fetch(form.action, { method: "POST", body: new URLSearchParams(data), redirect: "manual" });
    button.value = folded ? "wide" : "folded";
  });
}

// What was done is said for a while, as long as the pointer is not on it. A warning stays.
for (const note of document.querySelectorAll("[data-toast]")) {
  const dismiss = note.querySelector("[data-dismiss]");
  dismiss.hidden = false;
  dismiss.addEventListener("click", () => note.remove());
  if (note.matches(".toast-warning, .toast-danger")) continue;
  let waiting = setTimeout(() => note.remove(), 8000);
  note.addEventListener("pointerenter", () => clearTimeout(waiting));
  note.addEventListener("focusin", () => clearTimeout(waiting));
  note.addEventListener("pointerleave", () => { waiting = setTimeout(() => note.remove(), 3000); });
}

// Copying a key or a list of codes.
for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).innerText.trim());
    const words = button.querySelector("span") ?? button;
    const before = words.textContent;
    words.textContent = button.dataset.copied;
    setTimeout(() => { words.textContent = before; }, 2000);
  });
}
