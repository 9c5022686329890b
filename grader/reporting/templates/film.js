// A film never starts by itself. What is shown is read from the table of the film.
(() => {
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  for (const film of document.querySelectorAll(".film")) {
    const one = (selector) => film.querySelector(selector);
    const told = (name) => one(`[data-told="${name}"]`);
    const does = (name) => one(`[data-does="${name}"]`);
    const rows = [...film.querySelectorAll("tbody tr")];
    const last = rows.length - 1;
    const screen = one(".film-stage svg");
    const sheet = screen.querySelector("use");
    const place = one("input");
    const speed = one("select");
    const bars = [...film.querySelectorAll(".film-values li")];
    let shown = 0;
    let timer = 0;

    const sentence = () => {
      const [step, action, reward, total] = [...rows[shown].cells].map((cell) => cell.textContent);
      const happened = shown < last ? `action ${action}, reward ${reward}` : "the end";
      return `Step ${step} of ${film.dataset.steps}: ${happened}, return so far ${total}`;
    };
    const show = (frame, spoken) => {
      shown = Math.min(Math.max(frame, 0), last);
      const row = rows[shown];
      sheet.setAttribute("x", -row.dataset.x);
      sheet.setAttribute("y", -row.dataset.y);
      const [step, action, reward, total, ...values] = row.cells;
      told("step").textContent = step.textContent;
      told("action").textContent = action.textContent;
      told("reward").textContent = reward.textContent;
      told("total").textContent = total.textContent;
      const widths = values.map((cell) => Number(cell.dataset.width || 0));
      const largest = Math.max(...widths);
      bars.forEach((bar, index) => {
        bar.querySelector(".film-bar span").style.width = `${widths[index]}%`;
        bar.querySelector(".film-number").textContent = values[index].textContent;
        bar.classList.toggle("film-taken", index === Number(row.dataset.taken));
        bar.classList.toggle("film-largest", widths[index] > 0 && widths[index] === largest);
      });
      place.value = shown;
      place.setAttribute("aria-valuetext", `Step ${step.textContent} of ${film.dataset.steps}`);
      screen.setAttribute("aria-label", sentence());
      does("back").disabled = shown === 0;
      does("forward").disabled = shown === last;
      // While it plays, a voice could not keep up.
      told("spoken").textContent = spoken ? sentence() : "";
    };
    const stop = () => {
      clearInterval(timer);
      timer = 0;
      film.classList.remove("film-playing");
      does("play").lastElementChild.textContent = "Play";
    };
    const advance = () => {
      if (shown < last) show(shown + 1, false);
      if (shown === last) stop();
    };
    const play = () => {
      if (shown === last) show(0, false);
      timer = setInterval(advance, 1000 / Number(speed.value));
      film.classList.add("film-playing");
      does("play").lastElementChild.textContent = "Pause";
    };
    const turn = () => (timer ? stop() : play());
    const go = (frame) => {
      stop();
      // A button that is disabled would lose the keyboard.
      const focused = document.activeElement;
      show(frame, true);
      if (focused.disabled) one(".film-stage").focus();
    };

    does("play").addEventListener("click", turn);
    does("back").addEventListener("click", () => go(shown - 1));
    does("forward").addEventListener("click", () => go(shown + 1));
    place.addEventListener("input", () => {
      stop();
      show(Number(place.value), false);
    });
    speed.addEventListener("change", () => {
      if (!timer) return;
      stop();
      play();
    });
    one(".film-stage").addEventListener("click", turn);
    one(".film-player").addEventListener("keydown", (event) => {
      if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
      const on = event.target.tagName;
      if (on === "SELECT" || (on === "INPUT" && event.key !== " ")) return;
      const moves = {
        ArrowLeft: () => go(shown - 1),
        ArrowRight: () => go(shown + 1),
        Home: () => go(0),
        End: () => go(last),
        " ": on === "BUTTON" ? null : turn,
      };
      if (!moves[event.key]) return;
      event.preventDefault();
      moves[event.key]();
    });
    addEventListener("beforeprint", stop);
    document.addEventListener("visibilitychange", () => document.hidden && stop());
    if (calm.matches) speed.value = "1";
    show(0, false);
    film.classList.add("film-moves");
    one(".film-player").hidden = false;
  }
})();
