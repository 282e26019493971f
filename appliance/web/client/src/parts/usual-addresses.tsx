/** Addresses of common cameras, for whoever knows the maker and not the address. */

import { useI18n } from "../app/context";
import { USUAL, type Usual } from "../logic/usual-addresses";

export function UsualAddresses({ choose }: { choose: (usual: Usual) => void }) {
  const { t } = useI18n();
  return (
    <details class="usual">
      <summary class="sm muted">{t("Addresses of common cameras")}</summary>
      <ul>
        {USUAL.map((usual) => (
          <li key={usual.maker}>
            <button
              type="button"
              onClick={(e) => {
                e.currentTarget.closest("details")?.removeAttribute("open");
                choose(usual);
              }}
            >
              <b>{usual.maker}</b>
              <span class="mono muted">{usual.main}</span>
            </button>
          </li>
        ))}
      </ul>
    </details>
  );
}
