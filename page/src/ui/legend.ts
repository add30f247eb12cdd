// What shapes and lines mean.

const shapes: [string, string, string][] = [
  ["election", "--election", '<path d="M6 1L11 6L6 11L1 6Z"/>'],
  ["replication", "--replication", '<circle cx="6" cy="6" r="3.6"/>'],
  ["client", "--client", '<rect x="2.6" y="2.6" width="6.8" height="6.8"/>'],
  ["storage", "--storage", '<path d="M6 1.6L10.6 10H1.4Z"/>'],
  ["timer", "--muted", '<rect x="5.2" y="1" width="1.6" height="10"/>'],
];

const lines: [string, string, string][] = [
  ["lost", "--wrong", '<path d="M0 6H17M13 2L21 10M21 2L13 10"/>'],
  ["repeated", "--replication", '<path d="M0 4H22M0 8H22"/>'],
  ["late", "--replication", '<path stroke-dasharray="6 3" d="M0 6H24"/>'],
  ["never taken up", "--replication", '<path stroke-dasharray="1 3" d="M0 6H24"/>'],
];

export function fillLegend(place: HTMLElement): void {
  const item = (name: string, svg: string) => `<span>${svg}${name}</span>`;
  place.innerHTML = [
    ...shapes.map(([name, colour, path]) => item(name, `<svg width="12" height="12" style="fill:var(${colour})">${path}</svg>`)),
    ...lines.map(([name, colour, path]) => item(name, `<svg width="24" height="12" style="fill:none;stroke:var(${colour});stroke-width:1.5">${path}</svg>`)),
    item("took effect", '<svg width="12" height="12" style="fill:var(--ink)"><path d="M6 2L10 6L6 10L2 6Z"/></svg>'),
    item("not answered", '<svg width="22" height="12"><rect class="unanswered" width="22" height="9" y="1.5"/></svg>'),
  ].join("");
}
