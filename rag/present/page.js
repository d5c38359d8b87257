// Runs once inside Gradio's js_on_load of the conversation, which gives it `element` and `trigger`.
// Numbers open their citation in the panel; what is not in the panel is asked of the server.

const wide = window.matchMedia("(min-width: 62rem)");

function markOpen(details) {
  document.querySelectorAll("a.chip[aria-current]").forEach((chip) => chip.removeAttribute("aria-current"));
  if (!details) return;
  document.querySelectorAll(`a.chip[href="#${details.id}"]`).forEach((chip) => chip.setAttribute("aria-current", "true"));
}

// Only the box around the article moves, never the page with it.
function scrollToMark(details) {
  const box = details.querySelector(".article");
  const mark = details.querySelector("mark");
  if (!box || !mark) return;
  const above = mark.getBoundingClientRect().top - box.getBoundingClientRect().top;
  box.scrollTop += above - box.clientHeight / 4;
}

function settle(details) {
  scrollToMark(details);
  markOpen(details);
}

function openCitation(details) {
  const unfolded = details.open;
  details.open = true;
  if (unfolded) settle(details);
  const summary = details.querySelector("summary");
  summary.focus({ preventScroll: true });
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  details.scrollIntoView({ block: wide.matches ? "nearest" : "start", behavior: calm ? "auto" : "smooth" });
}

let wanted = null;

element.addEventListener("click", (event) => {
  const example = event.target.closest("button.example");
  if (example) trigger("example", { question: example.textContent });
  const mark = event.target.closest("button.mark");
  if (mark) trigger("mark", { exchange: mark.dataset.exchange, mark: mark.dataset.mark });
  const chip = event.target.closest("a.chip");
  if (!chip) return;
  event.preventDefault();
  const id = chip.getAttribute("href").slice(1);
  const details = document.getElementById(id);
  if (details) {
    openCitation(details);
  } else {
    const [, exchange, marker] = id.split("-");
    wanted = id;
    trigger("cite", { exchange, marker });
  }
});

document.addEventListener("click", (event) => {
  const back = event.target.closest("a.back");
  if (!back) return;
  event.preventDefault();
  const details = back.closest("details");
  const chip = document.querySelector(`a.chip[href="#${details.id}"]`);
  if (!chip) return;
  chip.scrollIntoView({ block: "center" });
  chip.focus({ preventScroll: true });
});

// `toggle` does not bubble, hence the capture.
document.addEventListener(
  "toggle",
  (event) => {
    if (event.target.matches("details.evidence") && event.target.open) settle(event.target);
  },
  true,
);

let reached = "";
let panelled = "";
let greeted = false;

// The newest question stays at the top while its answer grows below it.
function followNewest() {
  const newest = element.querySelector(".exchange:last-child");
  const now = newest ? `${newest.id} ${newest.textContent.length}` : "";
  if (newest && now !== reached) newest.scrollIntoView({ block: "start" });
  reached = now;
}

// On a narrow screen the keyboard would cover half of the page.
function greet() {
  const box = document.querySelector("#question textarea");
  if (!box || greeted) return;
  greeted = true;
  if (wide.matches) box.focus({ preventScroll: true });
}

function onChange() {
  greet();
  followNewest();
  const details = wanted && document.getElementById(wanted);
  if (details) {
    wanted = null;
    openCitation(details);
    return;
  }
  const opened = document.querySelector("details.evidence[open]");
  if ((opened?.id ?? "") === panelled) return;
  panelled = opened?.id ?? "";
  if (opened) settle(opened);
  else markOpen(null);
}

// The panel may be mounted after the conversation, hence the whole document; one batch an update.
new MutationObserver(onChange).observe(document.body, {
  childList: true,
  subtree: true,
  attributes: true,
  attributeFilter: ["id", "open"],
});
