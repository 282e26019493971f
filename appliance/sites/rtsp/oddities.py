"""Every violation of the standards that we tolerate, by name.

Nothing else is tolerated, and nothing is tolerated silently: the names end up in `SourceStatistics.oddities`.
Spaces around header values, header names in any case (``Cseq``), other channels than asked for and a missing
``RTP-Info`` are no violations, and so not here.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Oddity(StrEnum):
    """Names; what they mean and where they were seen is in `EVIDENCE`."""

    # messages
    LINES_WITHOUT_CR = "lines_without_cr"
    BLANK_LINES_BETWEEN = "blank_lines_between"
    SPACE_BEFORE_COLON = "space_before_colon"
    REASON_MISSING = "reason_missing"
    CSEQ_MISSING = "cseq_missing"
    CSEQ_WRONG = "cseq_wrong"
    ANSWER_UNASKED = "answer_unasked"
    # what they refuse or leave unanswered
    OPTIONS_REFUSED = "options_refused"
    KEEP_ALIVE_REFUSED = "keep_alive_refused"
    KEEP_ALIVE_UNANSWERED = "keep_alive_unanswered"
    NONCE_STALE_UNSAID = "nonce_stale_unsaid"
    CHALLENGE_UNREADABLE = "challenge_unreadable"
    # DESCRIBE
    CONTENT_TYPE_MISSING = "content_type_missing"
    CONTENT_TYPE_WRONG = "content_type_wrong"
    CONTENT_BASE_WITHOUT_SCHEME = "content_base_without_scheme"
    CONTENT_BASE_UNREADABLE = "content_base_unreadable"
    INNER_ADDRESS = "inner_address"
    SCHEME_OTHER = "scheme_other"
    CREDENTIALS_IN_URL = "credentials_in_url"
    CONTROL_MISSING = "control_missing"
    # SDP
    SDP_STRAY_LINE = "sdp_stray_line"
    SDP_TRAILING_SPACE = "sdp_trailing_space"
    FRAMERATE_UNREADABLE = "framerate_unreadable"
    STATIC_PAYLOAD_TYPE_REMAPPED = "static_payload_type_remapped"
    AAC_LENGTHS_MISSING = "aac_lengths_missing"
    BASE64_UNPADDED = "base64_unpadded"
    PARAMETER_SETS_UNREADABLE = "parameter_sets_unreadable"
    PARAMETER_SET_TRAILING_ZEROS = "parameter_set_trailing_zeros"
    # SETUP and PLAY
    SSRC_SPACE = "ssrc_space"
    SSRC_UNREADABLE = "ssrc_unreadable"
    UNICAST_MISSING = "unicast_missing"
    TRANSPORT_MISSING = "transport_missing"
    INTERLEAVED_MISSING = "interleaved_missing"
    CLIENT_PORT_OTHER = "client_port_other"
    SERVER_PORT_MISSING = "server_port_missing"
    SOURCE_ELSEWHERE = "source_elsewhere"
    SESSION_SPACE = "session_space"
    SESSION_CHANGED = "session_changed"
    SESSION_TIMEOUT_UNREADABLE = "session_timeout_unreadable"
    RTP_INFO_UNREADABLE = "rtp_info_unreadable"
    # RTP and RTCP
    UNKNOWN_CHANNEL = "unknown_channel"
    FOREIGN_PAYLOAD_TYPE = "foreign_payload_type"
    MARKER_EARLY = "marker_early"
    MARKER_MISSING = "marker_missing"
    START_CODES_INSIDE = "start_codes_inside"
    FRAGMENT_WHOLE = "fragment_whole"
    FRAGMENTS_UNANNOUNCED = "fragments_unannounced"
    NAL_TRAILING_ZEROS = "nal_trailing_zeros"
    SEQUENCE_RESTARTED = "sequence_restarted"
    TIME_CHANGES_INSIDE = "time_changes_inside"
    CLOCK_RATE_WRONG = "clock_rate_wrong"
    TIMES_USELESS = "times_useless"
    TIME_REPEATED = "time_repeated"
    REORDER_DEEPER = "reorder_deeper"
    REFRESH_GRADUAL = "refresh_gradual"
    PACKET_TYPE_UNKNOWN = "packet_type_unknown"
    UNIT_TOO_BIG = "unit_too_big"
    FORMAT_CHANGES_TOO_OFTEN = "format_changes_too_often"
    RTCP_UNREADABLE = "rtcp_unreadable"
    GOODBYE_UNMEANT = "goodbye_unmeant"
    # JPEG pictures over HTTP
    STREAM_TYPE_WRONG = "stream_type_wrong"
    BOUNDARY_DASHES = "boundary_dashes"
    BOUNDARY_MISSING = "boundary_missing"
    BOUNDARY_OTHER = "boundary_other"
    PART_LENGTH_WRONG = "part_length_wrong"
    PART_TYPE_WRONG = "part_type_wrong"
    PART_NO_PICTURE = "part_no_picture"
    HUFFMAN_TABLES_MISSING = "huffman_tables_missing"
    PICTURE_END_MISSING = "picture_end_missing"


class Evidence(NamedTuple):
    """What a camera does and what we do then, the vector or test that shows it, and the devices known to do it."""

    sentence: str
    shown_by: str
    devices: str = ""


EVIDENCE: Mapping[Oddity, Evidence] = {
    Oddity.LINES_WITHOUT_CR: Evidence(
        "Lines end with LF alone (RFC 2326 §4 wants CR LF); they end all the same.", "lines_without_cr.rtsp"
    ),
    Oddity.BLANK_LINES_BETWEEN: Evidence(
        "Blank lines before a message, as left by a body that is longer than said; skipped.", "blank_lines_between.rtsp"
    ),
    Oddity.SPACE_BEFORE_COLON: Evidence(
        "A space between a header's name and its colon; taken as not there.", "space_before_colon.rtsp"
    ),
    Oddity.REASON_MISSING: Evidence("A status line without its reason.", "reason_missing.rtsp"),
    Oddity.CSEQ_MISSING: Evidence("An answer without CSeq; it is to the oldest request.", "cseq_missing.rtsp"),
    Oddity.CSEQ_WRONG: Evidence(
        "An answer with a CSeq that we did not send; it is to the oldest request.", "cseq_wrong.rtsp"
    ),
    Oddity.ANSWER_UNASKED: Evidence("An answer where nothing was asked; ignored.", "answer_unasked.rtsp"),
    Oddity.OPTIONS_REFUSED: Evidence("OPTIONS is refused; we go on with DESCRIBE.", "options_refused.rtsp"),
    Oddity.KEEP_ALIVE_REFUSED: Evidence(
        "GET_PARAMETER is announced and then refused; OPTIONS is used from there on.", "keep_alive_refused.rtsp"
    ),
    Oddity.KEEP_ALIVE_UNANSWERED: Evidence(
        "A keep-alive is never answered while pictures flow; the pictures count.", "keep_alive_unanswered.rtsp"
    ),
    Oddity.NONCE_STALE_UNSAID: Evidence(
        "A nonce that was good is refused without stale=true (RFC 7616 §3.3); the new one is tried once.",
        "nonce_stale_unsaid.rtsp",
    ),
    Oddity.CHALLENGE_UNREADABLE: Evidence(
        "One of several challenges makes no sense; the others count.", "challenge_unreadable.rtsp"
    ),
    Oddity.CONTENT_TYPE_MISSING: Evidence(
        "A description without Content-Type; what begins with v= is SDP.",
        "content_type_missing.rtsp",
        "servers built on libavformat",
    ),
    Oddity.CONTENT_TYPE_WRONG: Evidence(
        "A description said to be something else; what begins with v= is SDP.", "content_type_wrong.rtsp"
    ),
    Oddity.CONTENT_BASE_WITHOUT_SCHEME: Evidence(
        "Content-Base is an address without rtsp:// before it; put there.",
        "content_base_without_scheme.rtsp",
        "Anjvision",
    ),
    Oddity.CONTENT_BASE_UNREADABLE: Evidence(
        "Content-Base is no address; the one that was asked for counts.", "content_base_unreadable.rtsp"
    ),
    Oddity.INNER_ADDRESS: Evidence(
        "The camera gives its own view of its address (behind NAT, or 127.0.0.1); the host typed in is put there.",
        "inner_address.rtsp",
        "H264DVR",
    ),
    Oddity.SCHEME_OTHER: Evidence(
        "The camera gives addresses with rtsp:// inside of TLS, or rtsps:// outside; the connection we have counts.",
        "scheme_other.rtsp",
        "servers built on GStreamer",
    ),
    Oddity.CREDENTIALS_IN_URL: Evidence(
        "An address with user name and password in it; cut off.", "credentials_in_url.rtsp"
    ),
    Oddity.CONTROL_MISSING: Evidence(
        "A medium without control attribute; it is set up at the address of the whole.", "control_missing.rtsp"
    ),
    Oddity.SDP_STRAY_LINE: Evidence(
        "A line that is not letter=value, often zeros after the end; ignored.", "sdp_stray_line.sdp"
    ),
    Oddity.SDP_TRAILING_SPACE: Evidence(
        "A space behind rtpmap's value; ignored.", "sdp_trailing_space.sdp", "IPCAM, H264DVR"
    ),
    Oddity.FRAMERATE_UNREADABLE: Evidence(
        "a=framerate:0S; taken as not said.", "framerate_unreadable.sdp", "IPCAM, H264DVR"
    ),
    Oddity.STATIC_PAYLOAD_TYPE_REMAPPED: Evidence(
        "A payload type with a fixed meaning (RFC 3551 §6) has an rtpmap of its own; that counts.",
        "static_payload_type_remapped.sdp",
        "Anpviz",
    ),
    Oddity.AAC_LENGTHS_MISSING: Evidence(
        "AAC without mode and lengths (RFC 3640 §4.1 wants them); those of AAC-hbr are taken.",
        "aac_lengths_missing.sdp",
        "Anpviz",
    ),
    Oddity.BASE64_UNPADDED: Evidence(
        "Parameter sets in base64 without the = at its end; put there.", "base64_unpadded.sdp"
    ),
    Oddity.PARAMETER_SETS_UNREADABLE: Evidence(
        "Parameter sets that cannot be read; those that come with the pictures, or came before, are used.",
        "parameter_sets_unreadable.sdp",
    ),
    Oddity.PARAMETER_SET_TRAILING_ZEROS: Evidence(
        "Zeros behind a parameter set; cut off.", "parameter_set_trailing_zeros.sdp", "Dahua"
    ),
    Oddity.SSRC_SPACE: Evidence("A space inside ssrc=; taken as not there.", "ssrc_space.rtsp", "Hikvision"),
    Oddity.SSRC_UNREADABLE: Evidence("ssrc= is no hexadecimal number; taken as not said.", "ssrc_unreadable.rtsp"),
    Oddity.UNICAST_MISSING: Evidence(
        "Interleaved transport without unicast, so multicast by RFC 2326 §12.39; cannot be meant.",
        "unicast_missing.rtsp",
        "Luckfox rkipc",
    ),
    Oddity.TRANSPORT_MISSING: Evidence("A SETUP answer without Transport; as asked.", "transport_missing.rtsp"),
    Oddity.INTERLEAVED_MISSING: Evidence(
        "Transport over TCP without channels; those asked for.", "interleaved_missing.rtsp"
    ),
    Oddity.CLIENT_PORT_OTHER: Evidence(
        "Over UDP the camera repeats other ports than those we asked for; we listen on ours.", "test_udp"
    ),
    Oddity.SERVER_PORT_MISSING: Evidence(
        "Over UDP the camera does not say from which ports it sends, or none that can be; it gets no reports.",
        "test_udp",
    ),
    Oddity.SOURCE_ELSEWHERE: Evidence(
        "Over UDP the camera says that it sends from another host; only what its own host sends is taken.", "test_udp"
    ),
    Oddity.SESSION_SPACE: Evidence("Spaces inside the Session header; taken as not there.", "session_space.rtsp"),
    Oddity.SESSION_CHANGED: Evidence(
        "The second SETUP answers with another session; the first one is kept.", "session_changed.rtsp", "H264DVR"
    ),
    Oddity.SESSION_TIMEOUT_UNREADABLE: Evidence(
        "The session's time-out is no number; 60 s are taken.", "session_timeout_unreadable.rtsp"
    ),
    Oddity.RTP_INFO_UNREADABLE: Evidence(
        "RTP-Info with a time or a number that cannot be, such as rtptime=-1; taken as not said.",
        "rtp_info_unreadable.rtsp",
    ),
    Oddity.UNKNOWN_CHANNEL: Evidence("Packets on a channel nobody set up; dropped.", "test_source"),
    Oddity.FOREIGN_PAYLOAD_TYPE: Evidence(
        "Packets of a payload type not announced; dropped.", "foreign_payload_type.rtp"
    ),
    Oddity.MARKER_EARLY: Evidence(
        "The marker bit before the end of a picture; from then on not believed.", "marker_early.rtp"
    ),
    Oddity.MARKER_MISSING: Evidence(
        "No marker bit at the end of a picture; it ends where the time changes.", "marker_missing.rtp"
    ),
    Oddity.START_CODES_INSIDE: Evidence(
        "Several NAL units with start codes between them sent as one; taken apart.", "start_codes_inside.rtp"
    ),
    Oddity.FRAGMENT_WHOLE: Evidence(
        "A fragment that is first and last at once (RFC 6184 §5.8 forbids it); a whole NAL unit.", "fragment_whole.rtp"
    ),
    Oddity.FRAGMENTS_UNANNOUNCED: Evidence(
        "Fragments although packetization-mode is 0; put together.", "fragments_unannounced.rtp"
    ),
    Oddity.NAL_TRAILING_ZEROS: Evidence("Zeros behind a NAL unit; cut off.", "nal_trailing_zeros.rtp"),
    Oddity.SEQUENCE_RESTARTED: Evidence(
        "Sequence numbers or SSRC begin anew without a word; so do we.", "sequence_restarted.rtp"
    ),
    Oddity.TIME_CHANGES_INSIDE: Evidence(
        "The time changes inside of a picture; its first counts.", "time_changes_inside.rtp"
    ),
    Oddity.CLOCK_RATE_WRONG: Evidence(
        "Time stamps count at another rate than announced, such as milliseconds; counted by the rate measured.",
        "clock_rate_wrong.rtp",
    ),
    Oddity.TIMES_USELESS: Evidence(
        "Time stamps stand still, or jump all the time; pictures are placed as they arrive.", "times_useless.rtp"
    ),
    Oddity.TIME_REPEATED: Evidence(
        "An MPEG-4 picture, the first of a group, has the time of the one before, and the next its own; it is shown as "
        "much later as that one was.",
        "time_repeated.rtp",
        "servers built on GStreamer",
    ),
    Oddity.REORDER_DEEPER: Evidence(
        "Pictures overtake more others than the parameter sets allow; decoding times are put right from there on.",
        "reorder_deeper.rtp",
    ),
    Oddity.REFRESH_GRADUAL: Evidence(
        "The picture is renewed bit by bit, where we wait for a whole one; we wait on, for an IDR picture.",
        "refresh_gradual.rtp",
    ),
    Oddity.PACKET_TYPE_UNKNOWN: Evidence(
        "Packets of the interleaved mode (H.264), which was not announced, or with extensions (H.265 PACI); dropped.",
        "packet_type_unknown.rtp",
    ),
    Oddity.UNIT_TOO_BIG: Evidence(
        "A picture over 8 MB or 1024 NAL units, or with heaps of parameter sets; dropped.", "unit_too_big.rtp"
    ),
    Oddity.FORMAT_CHANGES_TOO_OFTEN: Evidence(
        "More than two changes of the parameter sets a second; pictures are dropped until it calms down.",
        "format_changes_too_often.rtp",
    ),
    Oddity.RTCP_UNREADABLE: Evidence("A control packet that is none; dropped.", "rtcp_unreadable.rtp"),
    Oddity.GOODBYE_UNMEANT: Evidence("RTCP BYE, and the pictures go on; so do we.", "goodbye_unmeant.rtsp"),
    Oddity.STREAM_TYPE_WRONG: Evidence(
        "Pictures over HTTP are said to be something else, or one picture to be many; what comes counts.", "test_kinds"
    ),
    Oddity.BOUNDARY_DASHES: Evidence(
        "The boundary is said with the dashes of its line, or the line has none (RFC 2046 §5.1.1); the same.",
        "test_multipart",
        "many makers",
    ),
    Oddity.BOUNDARY_MISSING: Evidence(
        "Many parts, and no boundary is said; the first line that begins with two dashes is it.", "test_multipart"
    ),
    Oddity.BOUNDARY_OTHER: Evidence(
        "Parts are divided by another line than was said; the one that comes counts.", "test_multipart"
    ),
    Oddity.PART_LENGTH_WRONG: Evidence(
        "A picture is longer or shorter than its Content-Length; it ends at its end marker.", "test_multipart"
    ),
    Oddity.PART_TYPE_WRONG: Evidence(
        "A picture is said to be no picture, or nothing is said; what begins as JPEG does is one.", "test_kinds"
    ),
    Oddity.PART_NO_PICTURE: Evidence("A part that is no JPEG picture; dropped.", "test_kinds"),
    Oddity.HUFFMAN_TABLES_MISSING: Evidence(
        "A picture without Huffman tables, as Motion JPEG in AVI has them; those of the standard are put in.",
        "test_kinds",
    ),
    Oddity.PICTURE_END_MISSING: Evidence("A picture without its end marker; put there.", "test_kinds"),
}


class Oddities:
    """Collects the names met on one connection into the set it is given."""

    def __init__(self, names: set[str] | None = None) -> None:
        self.names = set() if names is None else names

    def note(self, oddity: Oddity) -> None:
        self.names.add(oddity.value)
