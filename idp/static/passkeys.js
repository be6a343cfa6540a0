// Makes and shows passkeys (WebAuthn). A button asks our server for options, hands them to the
// browser, and sends what it answers with the form that it is in. Whether it is right is not
// decided here.

"use strict";

{
  const toBytes = (text) =>
    Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
  const toText = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const known = (listed) => listed.map((one) => ({ ...one, id: toBytes(one.id) }));

  // The options as the server wrote them, as the browser wants them.
  const unpacked = (options) => ({
    ...options,
    challenge: toBytes(options.challenge),
    ...(options.user && { user: { ...options.user, id: toBytes(options.user.id) } }),
    ...(options.allowCredentials && { allowCredentials: known(options.allowCredentials) }),
    ...(options.excludeCredentials && { excludeCredentials: known(options.excludeCredentials) }),
  });

  // What the browser answered, as the server reads it.
  const packed = ({ id, rawId, type, response }) => {
    const fields = {};
    for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"])
      if (response[name]) fields[name] = toText(response[name]);
    if (response.getTransports) fields.transports = response.getTransports();
    return JSON.stringify({ id, rawId: toText(rawId), type, response: fields, clientExtensionResults: {} });
  };

  class PageIsOver extends Error {}

  const optionsFor = async (button) => {
    const answer = await fetch(button.dataset.options, {
      method: "POST",
      headers: { Accept: "application/json" },
      body: new URLSearchParams({ csrf_token: button.form.elements.csrf_token.value }),
    });
    // The page was open too long, or somebody signed out meanwhile: the server knows where to go on.
    if (answer.redirected || !answer.ok) throw new PageIsOver();
    return unpacked(await answer.json());
  };

  const send = (button, credential) => {
    button.form.elements.credential.value = packed(credential);
    button.form.submit();
  };

  // Autofill waits in the background until somebody picks a passkey, or presses the button.
  let waiting = null;
  const stopWaiting = () => {
    waiting?.abort();
    waiting = null;
  };

  const offerInAutofill = async (button) => {
    if (!(await window.PublicKeyCredential.isConditionalMediationAvailable?.())) return;
    const mine = (waiting = new AbortController());
    try {
      const publicKey = await optionsFor(button);
      if (mine.signal.aborted) return;
      // A challenge lives for five minutes.
      setTimeout(() => {
        if (waiting !== mine) return;
        stopWaiting();
        offerInAutofill(button);
      }, 270_000);
      send(button, await navigator.credentials.get({ publicKey, mediation: "conditional", signal: mine.signal }));
    } catch {
      // Nobody asked for it, so nobody is told. The button is there.
    }
  };

  const say = (button, text) => {
    const place = button.form.querySelector("[data-passkey-error]");
    place.querySelector("span").textContent = text;
    place.hidden = !text;
  };

  const reasonFor = (button, error) => {
    if (error.name === "InvalidStateError") return button.dataset.textKnown;
    if (error.name === "NotAllowedError" || error.name === "AbortError") return button.dataset.textCancelled;
    return button.dataset.textFailed;
  };

  // Whoever keeps passkeys learns which still count, and offers the others no more.
  const list = document.querySelector("[data-accepted]");
  if (list) window.PublicKeyCredential?.signalAllAcceptedCredentials?.(JSON.parse(list.dataset.accepted)).catch(() => {});

  const isSupported = Boolean(window.PublicKeyCredential && navigator.credentials?.create);
  for (const button of document.querySelectorAll("[data-passkey]")) {
    const missing = button.form.querySelector("[data-passkey-missing]");
    if (!isSupported) {
      if (missing) {
        missing.dataset.passkeyMissing = "unsupported";
        missing.querySelector("span").textContent = button.dataset.textUnsupported;
      }
      continue;
    }
    button.hidden = false;
    if (missing) missing.hidden = true;
    button.addEventListener("click", async () => {
      stopWaiting();
      say(button, "");
      button.disabled = true;
      button.classList.add("is-working");
      try {
        const publicKey = await optionsFor(button);
        send(button, await navigator.credentials[button.dataset.passkey]({ publicKey }));
      } catch (error) {
        if (error instanceof PageIsOver) {
          window.location.reload();
          return;
        }
        say(button, reasonFor(button, error));
        button.disabled = false;
        button.classList.remove("is-working");
        button.focus();
      }
    });
    if (button.dataset.autofill !== undefined) offerInAutofill(button);
  }
}
