// SPDX-License-Identifier: Apache-2.0
// The field above the index: leaves what has all words in it.  Without JavaScript there is no field, and the whole index.
const field = document.createElement("input");
field.id = "find";
field.type = "search";
field.placeholder = "Find";
field.setAttribute("aria-label", "Find in titles and headings");
document.querySelector("h1").after(field);
field.addEventListener("input", () => {
    const words = field.value.toLowerCase().split(/\s+/);
    for (const row of document.querySelectorAll("ul.index > li")) {
        const text = row.textContent.toLowerCase();
        row.hidden = !words.every(word => text.includes(word));
    }
});
