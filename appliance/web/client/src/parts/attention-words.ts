/** What needs attention, in the reader's language (ui.md §12). */

import type { Translator } from "../i18n/translator";
import type { Attention } from "../logic/server-status";

export interface AttentionWords {
  readonly title: string;
  readonly hint: string;
  /** The server's own words, English, where they say more: whom or what it is about. */
  readonly said: string | null;
}

/** The server's words in English, which say exactly what it is; elsewhere by its code, and its words where that leaves something open. */
export function attentionWords(i18n: Translator, item: Attention): AttentionWords | null {
  if (i18n.language === "en") return { title: item.message, hint: item.hint, said: null };
  const words = ofCode(i18n, item.code);
  return words && { ...words, said: item.code === "not_encrypted" ? null : item.message };
}

function ofCode({ t }: Translator, code: string): { readonly title: string; readonly hint: string } | null {
  switch (code) {
    case "first_password":
      return { title: t("A user still has the first password."), hint: t("Change it.") };
    case "not_encrypted":
      return { title: t("Connections are not encrypted."), hint: t("Use HTTPS for anything but this machine.") };
    case "certificate_ends":
      return { title: t("The certificate ends soon."), hint: t("Install a new one.") };
    case "bad_certificate":
    case "bad_chain":
    case "bad_key":
    case "key_mismatch":
    case "certificate_expired":
    case "certificate_incomplete":
    case "certificate_not_yet_valid":
      return { title: t("The certificate that was put in place cannot be used."), hint: t("Put a valid cert.pem and its key.pem in place.") };
    case "authority_unusable":
      return { title: t("The local certificate authority cannot be used."), hint: t("Restore its files from a backup.") };
    case "worker_isolation":
      return { title: t("Media workers are less isolated than they could be."), hint: t("Run on a kernel with Landlock and namespaces, or as the service.") };
    case "worker_busy":
    case "worker_died":
    case "worker_stuck":
      return { title: t("A media worker does not start."), hint: t("Fanal goes on trying.") };
    case "disk_full":
      return { title: t("The disk of the data folder is nearly full."), hint: t("Free some space.") };
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
        title: t("Lines of the log were lost: they came faster than they could be written."),
        hint: t("Look at the log for what repeats itself, and at the disk, which may be slow."),
      };
    default:
      return null;
  }
}
