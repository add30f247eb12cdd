// Small helpers for elements.

export function element<K extends keyof HTMLElementTagNameMap>(tag: K, className = "", text = ""): HTMLElementTagNameMap[K] {
  const e = document.createElement(tag);
  if (className) e.className = className;
  if (text) e.textContent = text;
  return e;
}

export function list(facts: [string, string][]): HTMLElement {
  const dl = element("dl");
  for (const [name, value] of facts) dl.append(element("dt", "", name), element("dd", "", value));
  return dl;
}

export function find<T extends HTMLElement = HTMLElement>(selector: string): T {
  return document.querySelector<T>(selector)!;
}
