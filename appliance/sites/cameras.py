"""The cameras that are set up: in memory for reading, in the store for good, their passwords sealed.

The book knows addresses and names, not whether anything answers there.  A change is checked inside its transaction;
memory and ``changes`` follow before the next one begins.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from appliance.base.clock import SystemClock, utc_seconds
from appliance.base.faults import Fault, Kind, invalid
from appliance.base.ids import is_id, new_id
from appliance.base.secrets import Secret
from appliance.base.texts import clean_name, fold
from appliance.base.watch import Broadcast
from appliance.media import masks, recording_rules
from appliance.media.masks import EVERYTHING, NO_MASK
from appliance.media.recording_rules import NOT_RECORDED, RecordingRules
from appliance.sites.addresses import DEMO_SCHEME, DEMO_STREAMS, refuse_address, validate_camera_url
from appliance.sites.camera import Camera, StreamConfig, configured
from appliance.store import tables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from appliance.base.clock import Clock
    from appliance.media.masks import Mask
    from appliance.store import SecretBox, Store

__all__ = [
    "DEMO_SCHEME",
    "Camera",
    "CameraAdded",
    "CameraBook",
    "CameraChanged",
    "CameraEvent",
    "CameraLeaving",
    "CameraRemoved",
    "StreamConfig",
    "refuse_address",
    "validate_camera_url",
]

log = logging.getLogger(__name__)

MOST_CAMERAS: Final = 1000


@dataclass(frozen=True, slots=True)
class CameraAdded:
    camera: Camera


@dataclass(frozen=True, slots=True)
class CameraChanged:
    camera: Camera  # as it is now


@dataclass(frozen=True, slots=True)
class CameraRemoved:
    camera_id: str


@dataclass(frozen=True, slots=True)
class CameraLeaving:
    """It is to be removed soon, or stays after all: `appliance.sites.removals` knows which."""

    camera: Camera


CameraEvent = CameraAdded | CameraChanged | CameraLeaving | CameraRemoved


class CameraBook:
    """All cameras of this appliance.  Made by `CameraBook.load`."""

    def __init__(self, store: Store, clock: Clock, site_id: str) -> None:
        self._store = store
        self._clock = clock
        self._cameras: dict[str, Camera] = {}
        self._ids: dict[str, str] = {}  # by folded name
        self.site_id = site_id
        self.changes: Broadcast[CameraEvent] = Broadcast()

    @classmethod
    async def load(cls, store: Store, clock: Clock | None = None) -> CameraBook:
        """What the store holds.  Credentials that its key does not open are missing, with a warning per camera."""
        clock = clock or SystemClock()
        now = utc_seconds(clock)
        book = cls(store, clock, await store.write(lambda connection: _local_site(connection, now)))

        def then(cameras: list[Camera]) -> None:
            for camera in cameras:
                book._take(camera)

        await store.read(lambda connection: _all_cameras(connection, store.secrets, book.site_id), then=then)
        return book

    # ── asking ──────────────────────────────────────────────────────────────────────────────────────────────

    def list(self) -> tuple[Camera, ...]:
        """All cameras in their order."""
        return tuple(sorted(self._cameras.values(), key=lambda camera: camera.position))

    def find(self, id_or_name: str) -> Camera | None:
        """The camera of this id, or of this name however it is written."""
        found = self._cameras.get(id_or_name)
        if found is not None or len(id_or_name) > 256:
            return found
        return self._cameras.get(self._ids.get(fold(" ".join(id_or_name.split())), ""))

    def get(self, id_or_name: str) -> Camera:
        """The same, or `Fault` ``no_camera``."""
        camera = self.find(id_or_name)
        if camera is None:
            raise no_camera(id_or_name)
        return camera

    # ── changing ────────────────────────────────────────────────────────────────────────────────────────────

    async def add(
        self,
        name: str,
        url: str,
        sub: str | None = None,
        *,
        username: str | None = None,
        password: Secret | None = None,
        transport: str | None = None,
        fingerprint: str | None = None,
        mask: Mask = NO_MASK,
        recording: Mapping[str, object] | None = None,
        local: bool = False,
    ) -> Camera:
        """A new camera, the last in order.  ``sub`` is the address of its smaller stream.

        User name and password may stand in the addresses or be given apart, which counts before; a sub stream of the
        same host has those of the main one unless it has its own.  ``transport`` and ``fingerprint``: options of all
        streams of the main one's host.  ``mask``: as `media.masks` checked it.  ``recording``: what differs from a
        camera that is not recorded, see `RecordingRules.changed`.  ``local``: see `validate_camera_url`.
        Raises `Fault` ``invalid_name``, ``name_taken``, ``invalid_url``, ``unsupported_scheme``,
        ``invalid_credentials``, ``invalid_transport``, ``invalid_fingerprint``, ``invalid_recording``,
        ``too_many_cameras``.
        """
        name = _name(name)
        streams = configured(
            (), url, sub, username, password, local=local, transport=transport, fingerprint=fingerprint
        )
        rules = NOT_RECORDED if recording is None else NOT_RECORDED.changed(recording)
        now = utc_seconds(self._clock)

        def fn(connection: sa.Connection) -> Camera:
            cameras = tables.cameras
            self._check_name(connection, name)
            count, last = connection.execute(sa.select(sa.func.count(), sa.func.max(cameras.c.position))).one()
            if count >= MOST_CAMERAS:
                raise Fault(
                    Kind.LIMITED, "too_many_cameras", f"There are {count} cameras already.", "Remove some first."
                )
            camera = Camera(new_id(), self.site_id, name, 0 if last is None else last + 1, streams, mask, rules)
            connection.execute(
                sa.insert(cameras).values(
                    id=camera.id,
                    site_id=camera.site_id,
                    name=name,
                    folded=fold(name),
                    position=camera.position,
                    created_at=now,
                    mask=masks.kept(mask),
                    recording=recording_rules.kept(rules),
                )
            )
            for stream in streams:
                connection.execute(
                    sa.insert(tables.streams).values(camera_id=camera.id, **_row(stream, self._store.secrets))
                )
            return camera

        def then(camera: Camera) -> None:
            self._take(camera)
            self.changes.publish(CameraAdded(camera))

        return await self._store.write(fn, then=then)

    async def change(
        self,
        id_or_name: str,
        *,
        name: str | None = None,
        url: str | None = None,
        sub: str | None = None,
        username: str | None = None,
        password: Secret | None = None,
        transport: str | None = None,
        fingerprint: str | None = None,
        mask: Mask | None = None,
        recording: Mapping[str, object] | None = None,
        local: bool = False,
    ) -> Camera:
        """Another name, address, mask, rules of recording or credentials; what is None stays, an empty one takes away.

        ``recording``: what changes of it, see `RecordingRules.changed`.
        Credentials stay while the host does and never go to another one.  Raises what `add` does, and `Fault`
        ``no_camera``.
        """
        camera_id = self.get(id_or_name).id
        name = None if name is None else _name(name)

        def fn(connection: sa.Connection) -> tuple[Camera, Camera]:
            # in the store's turn memory is what the store holds
            before = self._cameras.get(camera_id)
            if before is None:
                raise no_camera(id_or_name)
            after = before
            if name is not None:
                self._check_name(connection, name, but=camera_id)
                after = replace(after, name=name)
            if mask is not None:
                after = replace(after, mask=mask)
            if recording is not None:
                after = replace(after, recording=before.recording.changed(recording))
            if any(given is not None for given in (url, sub, username, password, transport, fingerprint)):
                streams = configured(
                    before.streams,
                    url,
                    sub,
                    username,
                    password,
                    local=local,
                    transport=transport,
                    fingerprint=fingerprint,
                )
                after = replace(after, streams=streams)
            self._write_changes(connection, before, after)
            return before, after

        def then(changed: tuple[Camera, Camera]) -> None:
            before, after = changed
            if before != after:
                self._drop(before)
                self._take(after)
                self.changes.publish(CameraChanged(after))

        return (await self._store.write(fn, then=then))[1]

    async def remove(self, id_or_name: str) -> None:
        """The camera, its streams and the rights on it are gone.  Raises `Fault` ``no_camera``."""
        camera = self.get(id_or_name)

        def fn(connection: sa.Connection) -> bool:
            found = connection.execute(sa.delete(tables.cameras).where(tables.cameras.c.id == camera.id))
            if found.rowcount == 0:
                raise no_camera(id_or_name)
            return True

        def then(_: bool) -> None:
            self._drop(self._cameras[camera.id])
            self.changes.publish(CameraRemoved(camera.id))

        await self._store.write(fn, then=then)

    async def ensure_demo(self) -> Camera:
        """The demo camera, made unless there is one."""
        for camera in self.list():
            if any(stream.url.startswith(DEMO_SCHEME) for stream in camera.streams):
                return camera
        names = ["Demo", *(f"Demo {number}" for number in range(2, MOST_CAMERAS + 2))]
        name = next(name for name in names if self.find(name) is None)
        main, sub = (f"{DEMO_SCHEME}{stream}" for stream in DEMO_STREAMS)
        return await self.add(name, main, sub, local=True)

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────────

    def _check_name(self, connection: sa.Connection, name: str, but: str | None = None) -> None:
        cameras = tables.cameras.c
        same = sa.select(cameras.id).where((cameras.site_id == self.site_id) & (cameras.folded == fold(name)))
        found = connection.execute(same).scalar_one_or_none()
        if found not in (None, but):
            message = f"There is a camera {name!r} already."
            raise Fault(Kind.CONFLICT, "name_taken", message, "Choose another name.", field="name")

    def _write_changes(self, connection: sa.Connection, before: Camera, after: Camera) -> None:
        """Only what differs: credentials that could not be read stay in the store until they are entered again."""
        values: dict[str, str | None] = {}
        if before.name != after.name:
            values |= {"name": after.name, "folded": fold(after.name)}
        if before.mask != after.mask:
            values["mask"] = masks.kept(after.mask)
        if before.recording != after.recording:
            values["recording"] = recording_rules.kept(after.recording)
        if values:
            connection.execute(sa.update(tables.cameras).where(tables.cameras.c.id == after.id).values(**values))
        left = {stream.id: stream for stream in before.streams}
        for stream in after.streams:
            old = left.pop(stream.id, None)
            row = _row(stream, self._store.secrets)
            if old is None:
                connection.execute(sa.insert(tables.streams).values(camera_id=after.id, **row))
            elif old != stream:
                if stream.credentials_lost:
                    del row["username"], row["password"]
                connection.execute(sa.update(tables.streams).where(tables.streams.c.id == stream.id).values(**row))
        for gone in left:
            connection.execute(sa.delete(tables.streams).where(tables.streams.c.id == gone))

    def _take(self, camera: Camera) -> None:
        self._cameras[camera.id] = camera
        self._ids[fold(camera.name)] = camera.id

    def _drop(self, camera: Camera) -> None:
        del self._cameras[camera.id]
        del self._ids[fold(camera.name)]


def no_camera(which: str) -> Fault:
    return Fault(
        Kind.NOT_FOUND, "no_camera", f"There is no camera {which[:64]!r}.", "List the cameras to see them all."
    )


def _name(text: str) -> str:
    name = clean_name(text)
    if is_id(name):
        raise invalid("invalid_name", "A camera cannot be called like an id.", "Give another name.", field="name")
    return name


def _row(stream: StreamConfig, box: SecretBox) -> dict[str, object]:
    def sealed(secret: Secret | None, column: str) -> bytes | None:
        return box.seal(secret, f"streams/{stream.id}/{column}") if secret else None

    return {
        "id": stream.id,
        "ordinal": stream.ordinal,
        "url": stream.url,
        "username": sealed(Secret(stream.username), "username"),
        "password": sealed(stream.password, "password"),
    }


def _local_site(connection: sa.Connection, now: int) -> str:
    """The site of the appliance's own cameras, made if there is none."""
    found = connection.execute(sa.select(tables.sites.c.id).where(tables.sites.c.kind == "local")).scalar_one_or_none()
    if found is not None:
        return str(found)
    site_id = new_id()
    connection.execute(sa.insert(tables.sites).values(id=site_id, kind="local", created_at=now))
    return site_id


def _all_cameras(connection: sa.Connection, box: SecretBox, site_id: str) -> list[Camera]:
    streams: dict[str, list[StreamConfig]] = {}
    lost: set[str] = set()
    for row in connection.execute(sa.select(tables.streams).order_by(tables.streams.c.ordinal)):
        stream = StreamConfig(row.id, row.ordinal, row.url)
        try:
            username, password = (
                None if value is None else box.unseal(value, f"streams/{row.id}/{column}")
                for column, value in (("username", row.username), ("password", row.password))
            )
            stream = replace(stream, username=username.reveal() if username else "", password=password)
        except Fault as fault:
            if row.camera_id not in lost:
                log.warning("the credentials of camera %s cannot be read: %s", row.camera_id, fault)
            lost.add(row.camera_id)
            stream = replace(stream, credentials_lost=True)
        streams.setdefault(row.camera_id, []).append(stream)
    rows = connection.execute(sa.select(tables.cameras).where(tables.cameras.c.site_id == site_id))
    return [
        Camera(
            row.id,
            row.site_id,
            row.name,
            row.position,
            tuple(streams.get(row.id, ())),
            _mask(row.id, row.mask),
            _recording(row.id, row.recording),
        )
        for row in rows
    ]


def _mask(camera_id: str, text: str | None) -> Mask:
    try:
        return masks.from_kept(text)
    except ValueError as error:
        log.warning("the mask of camera %s cannot be read, all of its picture is masked: %s", camera_id, error)
        return EVERYTHING


def _recording(camera_id: str, text: str | None) -> RecordingRules:
    try:
        return recording_rules.from_kept(text)
    except ValueError as error:
        log.warning("how camera %s is recorded cannot be read, it is not recorded: %s", camera_id, error)
        return NOT_RECORDED
