/** Buttons, segments, switches and fields: what every page is made of. */

import type { ButtonHTMLAttributes, ComponentChildren } from "preact";
import { useId, useState } from "preact/hooks";
import { useI18n } from "../app/context";
import { useTitle } from "./hooks";
import { Icon, type IconName } from "./icons";

type ButtonProps = Omit<ButtonHTMLAttributes<HTMLButtonElement>, "type" | "disabled"> & {
  readonly kind?: "primary" | "quiet" | "line" | "plain";
  readonly block?: boolean;
  readonly disabled?: boolean;
  readonly type?: "button" | "submit";
  readonly children: ComponentChildren;
};

export function Button({ kind = "plain", block = false, type = "button", children, class: more, ...rest }: ButtonProps) {
  const classes = ["btn", kind === "plain" ? "" : kind, block ? "block" : "", typeof more === "string" ? more : ""];
  return (
    <button type={type} class={classes.filter(Boolean).join(" ")} {...rest}>
      {children}
    </button>
  );
}

type IconButtonProps = Omit<ButtonHTMLAttributes<HTMLButtonElement>, "type" | "disabled" | "label"> & {
  readonly icon: IconName;
  readonly label: string;
  /** The key that does the same, for the tooltip. */
  readonly hint?: string;
  readonly pressed?: boolean;
  readonly look?: string;
  readonly disabled?: boolean;
};

/** An icon without a word: its name is in `aria-label`, with the key in the tooltip. */
export function IconButton({ icon, label, hint, pressed, look = "btn quiet ic", ...rest }: IconButtonProps) {
  return (
    <button
      type="button"
      class={pressed ? `${look} on` : look}
      aria-label={label}
      title={hint === undefined ? label : `${label} (${hint})`}
      {...(pressed === undefined ? {} : { "aria-pressed": pressed })}
      {...rest}
    >
      <Icon name={icon} />
    </button>
  );
}

interface SegmentedProps<T extends string | number> {
  readonly label: string;
  readonly value: T;
  readonly options: readonly { readonly value: T; readonly label: string }[];
  readonly choose: (value: T) => void;
}

export function Segmented<T extends string | number>({ label, value, options, choose }: SegmentedProps<T>) {
  return (
    <div class="seg" role="group" aria-label={label}>
      {options.map((option) => (
        <button key={option.value} type="button" aria-pressed={option.value === value} onClick={() => choose(option.value)}>
          {option.label}
        </button>
      ))}
    </div>
  );
}

export function Switch({ label, hint, on, change }: { label: string; hint?: string; on: boolean; change: (on: boolean) => void }) {
  const id = useId();
  return (
    <div class="opt">
      <span class="grow">
        <span id={id}>{label}</span>
        {hint !== undefined && <span class="hint">{hint}</span>}
      </span>
      <button type="button" class="sw" role="switch" aria-checked={on} aria-labelledby={id} onClick={() => change(!on)} />
    </div>
  );
}

interface FieldProps {
  readonly label: string;
  readonly name: string;
  readonly value: string;
  readonly change: (value: string) => void;
  readonly autocomplete: string;
  readonly hint?: string;
  readonly error?: string | null;
  readonly focus?: boolean;
  readonly secret?: boolean;
  readonly readOnly?: boolean;
  readonly maxLength?: number;
  /** What is saved, where this differs from it. */
  readonly was?: string | null;
  /** The focus went elsewhere. */
  readonly left?: () => void;
}

/** A labelled input with its hint and what is wrong with it.  A secret one can be shown. */
export function Field(props: FieldProps) {
  const { t } = useI18n();
  const id = useId();
  const [shown, setShown] = useState(false);
  const described = [props.hint ? `${id}-hint` : "", props.error ? `${id}-error` : ""].filter(Boolean).join(" ");
  return (
    <div class="field">
      <label for={id}>{props.label}</label>
      <div class="inbox">
        <input
          class={props.error ? "in err" : props.was != null ? "in chg" : "in"}
          id={id}
          name={props.name}
          type={(props.secret && !shown ? "password" : "text") as "text"}
          value={props.value}
          autocomplete={props.autocomplete as never}
          autocapitalize="none"
          autocorrect="off"
          spellcheck={false}
          autofocus={props.focus ?? false}
          readOnly={props.readOnly ?? false}
          maxLength={props.maxLength ?? 256}
          aria-invalid={Boolean(props.error)}
          {...(described ? { "aria-describedby": described } : {})}
          onInput={(e) => props.change(e.currentTarget.value)}
          onBlur={() => props.left?.()}
        />
        {props.secret && (
          <IconButton
            icon={shown ? "eyeoff" : "eye"}
            look="btn quiet ic reveal"
            label={shown ? t("Hide password") : t("Show password")}
            onClick={() => setShown(!shown)}
          />
        )}
      </div>
      {props.was != null && <p class="was">{props.was === "" ? t("was empty") : t("was {value}", { value: props.was })}</p>}
      {props.hint && (
        <p class="hint" id={`${id}-hint`}>
          {props.hint}
        </p>
      )}
      {props.error && <ErrorText id={`${id}-error`} text={props.error} />}
    </div>
  );
}

export function ErrorText({ text, id }: { text: string; id?: string }) {
  return (
    <p class="errmsg" role="alert" {...(id === undefined ? {} : { id })}>
      <Icon name="warning" size="s" />
      <span>{text}</span>
    </p>
  );
}

export function Note({ kind = "", icon, children }: { kind?: "" | "attn" | "bad" | "acc"; icon: IconName; children: ComponentChildren }) {
  return (
    <div class={`note ${kind}`}>
      <Icon name={icon} />
      <div class="grow">{children}</div>
    </div>
  );
}

interface EmptyProps {
  readonly icon: IconName;
  readonly title: string;
  /** There is nothing else: it gives the page its heading and its title. */
  readonly page?: boolean;
  readonly children?: ComponentChildren;
}

export function EmptyState({ icon, title, page = false, children }: EmptyProps) {
  useTitle(page ? title.replace(/\.$/, "") : null);
  return (
    <div class="empty">
      <Icon name={icon} size="l" />
      {page ? <h1>{title}</h1> : <h2>{title}</h2>}
      {children}
    </div>
  );
}
