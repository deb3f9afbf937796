// @ts-check
// A card that is held at an edge of its board scrolls the board: the nearer to the edge, the quicker.

/** How near to an edge counts, and how far one picture goes at most, in pixels. */
const EDGE = 56;
const MOST = 10;
let frame = 0;

/** Stop scrolling. */
export function rest() {
  cancelAnimationFrame(frame);
  frame = 0;
}

/** Scroll a board while the hand is at its edge; `moved` is told of every step. */
export function pull(board, x, moved) {
  rest();
  if (!board) return;
  const seen = board.getBoundingClientRect();
  const [left, right] = [Math.max(0, seen.left), Math.min(innerWidth, seen.right)];
  const depth = x < left + EDGE ? x - left - EDGE : Math.max(0, x - right + EDGE);
  const step = Math.round((MOST * Math.max(-EDGE, Math.min(EDGE, depth))) / EDGE);
  if (!step) return;
  const go = () => {
    const before = board.scrollLeft;
    board.scrollLeft = before + step;
    if (board.scrollLeft === before) return;
    moved();
    frame = requestAnimationFrame(go);
  };
  frame = requestAnimationFrame(go);
}
