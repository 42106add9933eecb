/** Elements in one call. Text is always text: nothing that a process calls itself becomes markup. */

export type Child = Node | string | null | undefined;

type Attributes = Readonly<Record<string, string | number | boolean | ((event: Event) => void) | undefined>>;

/** Attributes by name; a function is what happens on the event of that name. */
export const el = <Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Name] => {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(key, value);
    else if (value === true) element.setAttribute(key, '');
    else if (value !== false && value !== undefined) element.setAttribute(key, String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
};

/** @throws Error where the page has none of that id */
export const byId = <Type extends HTMLElement = HTMLElement>(id: string): Type => {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no #${id}`);
  return element as Type;
};

/**
 * Puts other children into an element, and gives the focus back to the one that had it: told by `data-key`, so that
 * somebody who uses the keyboard is not thrown back by every tick.
 */
export const replace = (parent: HTMLElement, ...children: readonly Child[]): void => {
  const focused = parent.contains(document.activeElement)
    ? (document.activeElement as HTMLElement).dataset.key
    : undefined;
  parent.replaceChildren(...children.filter((child) => child !== null && child !== undefined));
  if (focused === undefined) return;
  parent.querySelector<HTMLElement>(`[data-key="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
};

/** A sentence of the daemon, in which names stand between backticks. */
export const sentence = (text: string): Node[] =>
  text
    .split(/(`[^`]*`)/)
    .map((part) =>
      part.length > 2 && part.startsWith('`') && part.endsWith('`')
        ? el('b', {}, part.slice(1, -1))
        : document.createTextNode(part),
    );
