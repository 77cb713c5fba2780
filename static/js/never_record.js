/* Says, while it is typed, what is better left out. Nothing of the text leaves the phone for it. */
(() => {
  "use strict";
  const WAIT = 400; // milliseconds after the last letter
  const data = document.getElementById("never-record");
  if (!data) return;

  const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().replaceAll("’", "'");
  const pattern = (word) => plain(word).replace(/[.?+^$()[\]{}|\\/]/g, "\\$&").replaceAll("*", "[\\p{L}]*").replaceAll("#", "\\p{N}").replace(/ +/g, "\\s+");
  const { topics, say } = JSON.parse(data.textContent);
  const watched = topics.filter((one) => one.words.length).map((one) => ({
    topic: one.topic,
    words: new RegExp(`(?<![\\p{L}\\p{N}])(?:${one.words.map(pattern).join("|")})(?![\\p{L}\\p{N}])`, "u"),
  }));

  function noticed(text) {
    const given = plain(text);
    return watched.flatMap(({ topic, words }) => {
      const found = words.exec(given);
      return found ? [{ topic, word: found[0] }] : [];
    });
  }

  function warn(box) {
    const id = `${box.id}-never`;
    let note = document.getElementById(id);
    const found = noticed(box.value);
    if (!found.length) {
      note?.remove();
      return;
    }
    if (!note) {
      note = document.createElement("p");
      note.id = id;
      note.className = "form-text needs-you";
      note.setAttribute("role", "status");
      box.after(note);
    }
    const words = found.map(({ topic, word }) => `${topic} (“${word}”)`).join("; ");
    if (note.textContent !== `${say} ${words}`) note.textContent = `${say} ${words}`;
  }

  const waiting = new WeakMap();
  const BOXES = "main form textarea, main form input[type=text]";
  // Heard on the document: a refusal may bring new boxes in the place of the old ones.
  document.addEventListener("input", ({ target: box }) => {
    if (!box.matches(BOXES)) return;
    clearTimeout(waiting.get(box));
    waiting.set(box, setTimeout(warn, WAIT, box));
  });
  for (const box of document.querySelectorAll(BOXES)) if (box.value) warn(box);
  window.neverRecord = noticed; // for the test of its examples
})();
