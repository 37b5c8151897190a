"""What is wrong with how a page looks, as expressions that find it there."""

from __future__ import annotations

# What is wider than the screen, though it does not scroll for itself.
TOO_WIDE = """
[...document.querySelectorAll('body *')]
  .filter((each) => each.checkVisibility())
  .filter((each) => !each.closest('pre, .unseen, .rooms, .skip'))
  .filter((each) => each.getBoundingClientRect().right > innerWidth + 1)
  .map((each) => each.outerHTML.slice(0, 200))
"""
# Texts whose contrast with what lies behind them is below AA.
FAINT = """
(() => {
  const paint = document.createElement('canvas').getContext('2d', {
    willReadFrequently: true,
  });
  const mix = (colours) => {
    paint.clearRect(0, 0, 1, 1);
    for (const colour of colours) {
      paint.fillStyle = colour;
      paint.fillRect(0, 0, 1, 1);
    }
    return [...paint.getImageData(0, 0, 1, 1).data.slice(0, 3)].map((byte) => {
      const part = byte / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
  };
  const light = ([red, green, blue]) => 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  const isText = (node) => node.nodeType === Node.TEXT_NODE && node.data.trim();
  const faint = [];
  for (const each of document.querySelectorAll('body *')) {
    if (![...each.childNodes].some(isText)) continue;
    if (!each.checkVisibility({ opacityProperty: true })) continue;
    if (each.closest('.unseen, .skip, option')) continue;
    const behind = [];
    for (let at = each; at; at = at.parentElement) {
      behind.unshift(getComputedStyle(at).backgroundColor);
    }
    const colour = getComputedStyle(each).color;
    const [one, two] = [light(mix(behind)), light(mix([...behind, colour]))];
    const ratio = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
    if (ratio < 4.5) faint.push(`${ratio.toFixed(2)} ${each.outerHTML.slice(0, 120)}`);
  }
  return faint;
})()
"""
