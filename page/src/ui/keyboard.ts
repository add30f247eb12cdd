// Everything can be done with keys.

export interface Key {
  keys: string[];
  words: string;
  action: (event: KeyboardEvent) => void;
}

export function listenToKeys(all: Key[]): void {
  const byKey = new Map(all.flatMap((k) => k.keys.map((key) => [key, k.action] as const)));
  document.addEventListener("keydown", (event) => {
    const target = event.target as HTMLElement;
    const writes = target.matches("input, textarea") || (target.matches("select") && !event.key.startsWith("Esc"));
    if (writes || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    // Buttons are pressed with these.
    if (target.matches("button") && (event.key === " " || event.key === "Enter")) return;
    const action = byKey.get(event.shiftKey && event.key.startsWith("Arrow") ? `Shift+${event.key}` : event.key);
    if (!action) return;
    event.preventDefault();
    action(event);
  });
}

export function fillHelp(table: HTMLTableElement, all: Key[]): void {
  const names: Record<string, string> = { " ": "space", ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓" };
  for (const k of all) {
    const row = table.insertRow();
    const cell = row.insertCell();
    k.keys.forEach((key) => {
      const kbd = document.createElement("kbd");
      kbd.textContent = key.split("+").length === 2 && key !== "+" ? key.split("+").map((part) => names[part] ?? part).join(" ") : (names[key] ?? key);
      cell.append(kbd, " ");
    });
    row.insertCell().textContent = k.words;
  }
}
