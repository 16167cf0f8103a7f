/**
 * What each link does to messages at the moment: its ordinary conditions, changed by the active faults in the order in
 * which they began. Also which links carry bytes, and how likely those are damaged.
 */
import type { LinkParameters, Network } from "./network.ts";
import type { Link } from "./partition.ts";

/** What a fault makes of a link. */
export type LinkChange = (parameters: LinkParameters) => LinkParameters;

interface Overlay {
  readonly links: readonly Link[];
  readonly change: LinkChange;
}

export class Links {
  readonly #network: Network;
  readonly #size: number;
  readonly #base: LinkParameters[];
  readonly #asBytes: Uint8Array;
  readonly #damageChance: Float64Array;
  #overlays: Overlay[] = [];
  #damages: { readonly links: readonly Link[]; readonly chance: number }[] = [];

  constructor(network: Network, parameters: LinkParameters) {
    this.#network = network;
    this.#size = network.hostCount;
    this.#base = new Array<LinkParameters>(this.#size * this.#size).fill(parameters);
    this.#asBytes = new Uint8Array(this.#size * this.#size);
    this.#damageChance = new Float64Array(this.#size * this.#size);
  }

  /** Every link that touches one of `hosts`; with all of them, every link. */
  touching(hosts: readonly number[]): Link[] {
    const touched = new Set(hosts);
    return this.#all().filter(({ from, to }) => touched.has(from) || touched.has(to));
  }

  setBase(from: number, to: number, parameters: LinkParameters): void {
    this.#base[this.#at(from, to)] = parameters;
    this.#apply([{ from, to }]);
  }

  setAllBase(parameters: LinkParameters): void {
    this.#base.fill(parameters);
    this.#apply(this.#all());
  }

  /** Changes links until what it returns is called. */
  overlay(links: readonly Link[], change: LinkChange): () => void {
    const overlay: Overlay = { links, change };
    this.#overlays.push(overlay);
    this.#apply(links);
    return () => {
      this.#overlays = this.#overlays.filter((other) => other !== overlay);
      this.#apply(links);
    };
  }

  setBytes(from: number, to: number): void {
    this.#asBytes[this.#at(from, to)] = 1;
  }

  /** Damages messages on links with this probability; of overlapping ones the greatest holds. Returns what ends it. */
  damage(links: readonly Link[], chance: number): () => void {
    const damage = { links, chance };
    this.#damages.push(damage);
    this.#updateDamage();
    return () => {
      this.#damages = this.#damages.filter((other) => other !== damage);
      this.#updateDamage();
    };
  }

  carriesBytes(from: number, to: number): boolean {
    return this.#asBytes[this.#at(from, to)] === 1;
  }

  /** Probability in [0, 1] that a message sent now is damaged. */
  damageChance(from: number, to: number): number {
    return this.#damageChance[this.#at(from, to)] ?? 0;
  }

  #updateDamage(): void {
    this.#damageChance.fill(0);
    for (const { links, chance } of this.#damages) {
      for (const { from, to } of links) {
        const at = this.#at(from, to);
        this.#damageChance[at] = Math.max(this.#damageChance[at] ?? 0, chance);
      }
    }
  }

  #apply(links: readonly Link[]): void {
    for (const { from, to } of links) {
      let parameters = this.#base[this.#at(from, to)];
      if (parameters === undefined) continue;
      for (const overlay of this.#overlays) {
        if (overlay.links.some((link) => link.from === from && link.to === to)) parameters = overlay.change(parameters);
      }
      this.#network.setLink(from, to, parameters);
    }
  }

  #all(): Link[] {
    const links: Link[] = [];
    for (let from = 0; from < this.#size; from += 1) {
      for (let to = 0; to < this.#size; to += 1) if (from !== to) links.push({ from, to });
    }
    return links;
  }

  #at(from: number, to: number): number {
    return from * this.#size + to;
  }
}
