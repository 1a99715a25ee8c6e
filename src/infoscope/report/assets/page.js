"use strict";
// What every page has: buttons that copy.
(() => {
  const said = document.getElementById("said");
  const say = (text) => {
    said.textContent = text;
    setTimeout(() => { if (said.textContent === text) said.textContent = ""; }, 4000);
  };
  const select = (element) => {
    const range = document.createRange();
    range.selectNodeContents(element);
    const chosen = getSelection();
    chosen.removeAllRanges();
    chosen.addRange(range);
  };
  const copy = async (text, element) => {
    try {
      await navigator.clipboard.writeText(text);
      say("Copied.");
    } catch {  // the browser gives no clipboard to pages of files
      select(element);
      say(document.execCommand("copy") ? "Copied." : "Selected: press Ctrl+C to copy.");
    }
  };
  for (const button of document.querySelectorAll("button.copy")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const element = document.getElementById(button.dataset.copy);
      copy(element.textContent, element);
    });
  }
  window.infoscopePage = { say, copy };
})();
