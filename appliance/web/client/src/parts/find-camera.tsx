/** Find a camera by typing (`/`): a field with a list below, as the ARIA combobox pattern has it. */

import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { useI18n } from "../app/context";
import { findCameras, type Camera } from "../logic/cameras";
import { IconButton } from "../ui/controls";
import { Icon } from "../ui/icons";

const SHOWN = 8;

interface FindProps {
  readonly cameras: readonly Camera[];
  readonly open: (camera: Camera) => void;
  /** Counts up when the key for it is pressed. */
  readonly summoned: number;
}

export function FindCamera({ cameras, open, summoned }: FindProps) {
  const { t, tn, language } = useI18n();
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [query, setQuery] = useState("");
  const [active, setActive] = useState(0);
  const [expanded, setExpanded] = useState(false);
  // on a phone the field is behind its icon
  const [folded, setFolded] = useState(true);
  const found = findCameras(cameras, query, language === "xx" ? "en" : language);
  const shown = found.slice(0, SHOWN);
  const asked = expanded && query !== "";
  const listed = asked && shown.length > 0;
  const sites = new Set(cameras.map((c) => c.site)).size > 1;

  const wanted = useRef(false);
  useLayoutEffect(() => {
    if (summoned === 0) return;
    wanted.current = true;
    setFolded(false);
    input.current?.focus(); // what is typed next belongs here
  }, [summoned]);
  useLayoutEffect(() => {
    if (!folded && wanted.current) input.current?.focus();
    wanted.current = false;
  }, [folded]);

  const leave = (): void => {
    setQuery("");
    setExpanded(false);
    setFolded(true);
    setActive(0);
  };
  const choose = (camera: Camera | undefined): void => {
    if (!camera) return;
    leave();
    input.current?.blur();
    open(camera);
  };
  const onKey = (e: KeyboardEvent): void => {
    if (e.key === "ArrowDown") setActive(Math.min(active + 1, shown.length - 1));
    else if (e.key === "ArrowUp") setActive(Math.max(active - 1, 0));
    else if (e.key === "Enter") choose(shown[active]);
    else if (e.key === "Escape") {
      leave();
      input.current?.blur();
    } else return;
    e.preventDefault();
    e.stopPropagation();
  };
  return (
    <div class={`find${folded ? " folded" : ""}`}>
      <IconButton
        icon="search"
        look="btn quiet ic find-open"
        label={t("Find a camera")}
        onClick={() => {
          wanted.current = true;
          setFolded(false);
        }}
      />
      <div class="search">
        <Icon name="search" />
        <input
          ref={input}
          class="in"
          type="text"
          role="combobox"
          aria-label={t("Find a camera")}
          aria-expanded={listed}
          {...(listed ? { "aria-controls": `${id}-list` } : {})}
          aria-autocomplete="list"
          {...(listed && shown[active] ? { "aria-activedescendant": `${id}-${active}` } : {})}
          placeholder={t("Find a camera")}
          autocomplete="off"
          spellcheck={false}
          maxLength={100}
          value={query}
          onInput={(e) => {
            setQuery(e.currentTarget.value);
            setActive(0);
            setExpanded(true);
          }}
          onFocus={() => setExpanded(true)}
          onBlur={() => {
            setExpanded(false);
            setFolded(true);
          }}
          onKeyDown={onKey}
        />
        <span class="kbd" aria-hidden="true">
          /
        </span>
        <IconButton icon="close" look="btn quiet ic find-close" label={t("Close")} onPointerDown={(e) => e.preventDefault()} onClick={leave} />
        {asked && (
          <div class="found">
            {listed && (
              <ul id={`${id}-list`} role="listbox" aria-label={t("Cameras found")}>
                {shown.map((camera, i) => (
                  <li
                    key={camera.id}
                    id={`${id}-${i}`}
                    role="option"
                    aria-selected={i === active}
                    onPointerDown={(e) => e.preventDefault()}
                    onClick={() => choose(camera)}
                  >
                    <Icon name="camera" />
                    <span class="ell grow">{camera.name}</span>
                    {sites && <span class="muted ell">{camera.site}</span>}
                  </li>
                ))}
              </ul>
            )}
            {found.length === 0 && (
              <p class="none" role="status">
                {t("No camera of this name.")}
              </p>
            )}
            {found.length > SHOWN && <p class="none">{tn("{n} more", "{n} more", found.length - SHOWN)}</p>}
          </div>
        )}
      </div>
    </div>
  );
}
