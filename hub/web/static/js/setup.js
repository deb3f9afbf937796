// The set-up page works without this; it only guesses the time zone.
const zone = document.getElementById('f-zone');
if (zone && !zone.value) {
  const guess = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (guess) zone.value = guess;
}
