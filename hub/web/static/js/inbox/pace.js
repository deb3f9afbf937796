// @ts-check
// A pace for drawing what keeps coming: together with what came meanwhile, in one frame, and the
// less often the longer it takes, so that the browser has time for whoever reads and types.

const LEAST_MS = 150;
const MOST_MS = 2000;
/** Of the browser's time drawing takes one part in so many. */
const SHARE = 20;

/** Give what asks for a drawing: after so many milliseconds, or when it is its time again. @param {() => void} draw */
export function pace(draw) {
  let timer = 0;
  let rest = 0;
  let last = 0;
  const run = () => {
    timer = 0;
    last = performance.now();
    // A task that is asked for within a frame comes after it: what the browser did for it counts too.
    setTimeout(() => { rest = Math.min(MOST_MS, (performance.now() - last) * SHARE); });
    draw();
  };
  return (ms = Math.max(LEAST_MS, last + rest - performance.now())) => {
    if (!timer) timer = window.setTimeout(() => { if (document.hidden) run(); else requestAnimationFrame(run); }, ms);
  };
}
