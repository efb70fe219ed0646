/** Puts the keyboard where the owner will type. Use as `{@attach focusHere}`. */
export function focusHere(element: HTMLElement) {
  element.focus({ preventScroll: true });
}
