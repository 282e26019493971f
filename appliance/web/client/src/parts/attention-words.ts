/** What needs attention, in the reader's language (ui.md §12). */

import type { Translator } from "../i18n/translator";
import * as format from "../logic/format";
import type { Attention } from "../logic/server-status";

export interface AttentionWords {
  readonly title: string;
  readonly hint: string;
  /** What a library or the system said, English: nobody translates that. */
  readonly said: string | null;
}

/** The server's words in English; elsewhere by its code, and what it says this is about. */
export function attentionWords(i18n: Translator, item: Attention): AttentionWords | null {
  if (i18n.language === "en") return { title: item.message, hint: item.hint, said: null };
  const words = ofCode(i18n, item.code, item.details) ?? ofCertificate(i18n, item.code, item.details);
  return words && { said: null, ...words };
}

type Details = Attention["details"];
type Words = Pick<AttentionWords, "title" | "hint"> & Partial<AttentionWords>;

function ofCode(i18n: Translator, code: string, details: Details): Words | null {
  const { t, tn } = i18n;
  const { user, kept, folder, megabytes, lines, day } = details;
  switch (code) {
    case "first_password":
      return {
        title: user === undefined ? t("A user still has the first password.") : t("“{user}” still has the first password.", { user }),
        hint: t("Change it."),
      };
    case "not_encrypted":
      return { title: t("Connections are not encrypted."), hint: t("Use HTTPS for anything but this machine.") };
    case "certificate_ends":
      return {
        title: day === undefined ? t("The certificate ends soon.") : t("The certificate ends on {day}.", { day: format.day(i18n, String(day)) }),
        hint: t("Install a new one."),
      };
    case "worker_isolation":
      return {
        title: kept === undefined ? t("Media workers are less isolated than they could be.") : t("Media workers could not give up: {kept}.", { kept: rights(i18n, String(kept)) }),
        hint: t("Run on a kernel with Landlock and namespaces, or as the service."),
      };
    case "worker_busy":
    case "worker_died":
    case "worker_stuck":
      return { title: t("A media worker does not start."), hint: t("Fanal goes on trying.") };
    case "disk_full":
      return {
        title:
          typeof megabytes !== "number" || folder === undefined
            ? t("The disk of the data folder is nearly full.")
            : t("The disk of {folder} has {megabytes} MB left.", { folder, megabytes: format.number(i18n, megabytes) }),
        hint: t("Free some space."),
      };
    case "recording_disk_full":
      return { title: t("Cameras are not recorded: the disk is full."), hint: t("Free some space.") };
    case "recording_disk_read_only":
      return { title: t("Cameras are not recorded: the disk cannot be written."), hint: t("Make the folder of the recordings writable.") };
    case "recording_disk_failed":
      return { title: t("Cameras are not recorded: the disk fails."), hint: t("Check that disk.") };
    case "recording_disk_slow":
      return { title: t("The disk of the recordings is slow."), hint: t("Give it less to do, or use a faster one.") };
    case "recording_internal":
      return { title: t("Cameras are not recorded because of an internal error."), hint: t("Look at the log.") };
    case "recording_lost":
      return { title: t("Some seconds of recording were lost."), hint: t("The disk took them too slowly, or not at all.") };
    case "recording_clock":
      return {
        title: t("The clock was set back: recordings are dated later than it shows, so as to keep their order."),
        hint: t("Leave off recording for so long, and they are dated by it again."),
      };
    case "log_lines_lost":
      return {
        title:
          typeof lines === "number"
            ? tn("{n} line of the log was lost: they came faster than they could be written.", "{n} lines of the log were lost: they came faster than they could be written.", lines)
            : t("Lines of the log were lost: they came faster than they could be written."),
        hint: t("Look at the log for what repeats itself, and at the disk, which may be slow."),
      };
    default:
      return null;
  }
}

/** What workers give up, by the server's names. */
function rights({ t }: Translator, kept: string): string {
  const known: Readonly<Record<string, string>> = { network: t("the network"), privileges: t("privileges"), limits: t("memory without a limit"), files: t("files") };
  return kept
    .split(", ")
    .map((name) => known[name] ?? name)
    .join(", ");
}

/** Of certificate and key in the data folder, and of the local authority's. */
function ofCertificate(i18n: Translator, code: string, details: Details): Words | null {
  const { t } = i18n;
  const { what, file, day, at, issuer, issued, why, folder } = details;
  const validFrom = Date.parse(String(at));
  const again = t("Put a valid cert.pem and its key.pem in place.");
  const refused = t("The certificate that was put in place cannot be used.");
  switch (code) {
    case "bad_certificate":
      if (what === "not_pem") return { title: t("cert.pem holds no usable certificate in PEM form."), hint: again };
      if (what === "malformed") return { title: t("The certificate in cert.pem is malformed."), hint: again };
      if (what === "not_for_servers") return { title: t("The certificate in cert.pem is not for servers."), hint: again };
      return { title: refused, hint: again, said: why === undefined ? null : String(why) };
    case "bad_chain":
      if (what === "order") return { title: t("The server’s own certificate is not the first in cert.pem."), hint: t("Put it first, then those of the issuers in order.") };
      return {
        title: issuer === undefined || issued === undefined ? refused : t("In cert.pem, {issuer} does not follow from {issued}.", { issuer, issued }),
        hint: t("Put the server’s certificate first, then each issuer’s after the one it signed."),
      };
    case "bad_key":
      if (what === "passphrase")
        return { title: t("key.pem is protected by a passphrase."), hint: t("Remove it ({command}); only this server may read the file.", { command: "openssl pkey -in key.pem -out plain.pem" }) };
      if (what === "kind") return { title: t("The kind of key in key.pem cannot be used for HTTPS."), hint: t("Use ECDSA or RSA.") };
      return { title: t("key.pem holds no private key in PEM form."), hint: again };
    case "key_mismatch":
      return { title: t("key.pem is not the key of the certificate in cert.pem."), hint: again };
    case "certificate_expired":
      return { title: day === undefined ? refused : t("The certificate in cert.pem ended on {day}.", { day: format.day(i18n, String(day)) }), hint: again };
    case "certificate_not_yet_valid":
      return {
        title: Number.isFinite(validFrom) ? t("The certificate in cert.pem is not valid before {time}.", { time: format.dayAndClock(i18n, validFrom) }) : refused,
        hint: t("Check this machine’s clock."),
      };
    case "certificate_incomplete":
      return { title: file === undefined ? refused : t("{file} is missing.", { file }), hint: t("Put both files in place.") };
    case "authority_unusable":
      return {
        title: folder === undefined ? t("The local certificate authority cannot be used.") : t("The local certificate authority in {folder} cannot be used.", { folder }),
        hint: t("Restore its files from a backup, or delete both to have a new one made, which people then have to trust anew."),
      };
    default:
      return null;
  }
}
