# cython: language_level=3, boundscheck=False, wraparound=False
"""Pictures made smaller: planes in, 4:2:0 planes out, with the range step, privacy masks, turning and writing.

How samples are weighed is said in scale.h, what a mask covers in mask.h.  Oracle: tests/reference/scale.py.
Fuzzed: tests/fuzz/fuzz_scale.py.
"""
from libc.stdint cimport uint8_t, uint16_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset
from cpython.buffer cimport PyBUF_SIMPLE, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer

cdef extern from "scale.h" nogil:
    struct plan:
        int in_width, in_height, out_width, out_height
    int cpu_has_avx2()
    int plan_make(plan*, int, int, int, int, bint is_chroma, bint expand, bint portable)
    void plan_free(plan*)
    void plan_run(const plan*, const uint8_t*, Py_ssize_t, uint8_t*, Py_ssize_t)
    void part(const uint8_t*, Py_ssize_t, uint8_t* u, uint8_t* v, int width, int height)
    void turn_quarter(const uint8_t*, Py_ssize_t, uint8_t*, Py_ssize_t, int width, int height, bint clockwise)
    void turn_half(const uint8_t*, Py_ssize_t, uint8_t*, Py_ssize_t, int width, int height)

cdef extern from "mask.h" nogil:
    enum:
        MOST_POLYGONS
        MOST_POINTS
        ONE
    struct point:
        long long x, y
    struct polygons:
        int count
        int* ends
        point* points
    struct mask:
        pass
    struct axis:
        int step
        # C's own names, which are words of Python
        int within "in"
        int out
    void mask_bitmap(uint8_t*, const polygons*, axis across, axis down, int height)
    void mask_chroma(uint8_t*, int chroma_width, const uint8_t*, int width, int height)
    int mask_spans(mask*, const uint8_t*, int width, int height)
    void mask_fill(const mask*, uint8_t*, Py_ssize_t, uint8_t)

cdef extern from *:
    """
    static void mask_free(struct mask *m) { free(m->spans); memset(m, 0, sizeof *m); }
    """
    void mask_free(mask*)

cdef extern from "stamp.h" nogil:
    struct stamp:
        int width, height
        uint16_t* keep
        uint16_t* add
    void stamp_make(stamp*, const uint8_t*, int light, int dark, int box)
    void stamp_put(const stamp*, uint8_t*, Py_ssize_t, uint8_t**, const Py_ssize_t*, int, int, int, int)

#: Samples a side of a picture; more than any camera has.
cdef enum:
    MOST_ACROSS = 16384
    MOST_STAMP = 4096
    PLANES = 3

MOST = MOST_ACROSS
POLYGONS = MOST_POLYGONS
POINTS = MOST_POINTS
#: What the rows are run in unless told otherwise.
AVX2 = bool(cpu_has_avx2())

#: Layout: planes, luma samples across and down for a chroma sample, chroma samples beside each other in a plane.
LAYOUTS = {"gray": (1, 2, 2, 1), "420": (3, 2, 2, 1), "422": (3, 2, 1, 1), "444": (3, 1, 1, 1), "nv12": (2, 2, 2, 2)}


cdef struct Planes:
    int count
    int held
    Py_buffer views[PLANES]
    uint8_t* at[PLANES]
    Py_ssize_t stride[PLANES]
    Py_ssize_t size[PLANES]


cdef void release(Planes* planes) noexcept:
    while planes.held > 0:
        planes.held -= 1
        PyBuffer_Release(&planes.views[planes.held])


cdef int hold(Planes* planes, str whose, given, int count, const int* widths, const int* heights, int flags) except -1:
    """Take hold of the buffers and see that each has what its size and stride say.  release() is due in any case."""
    given = tuple(given)
    if len(given) != count:
        raise ValueError(f"the {whose} has {len(given)} planes where {count} are needed")
    cdef int i
    cdef Py_ssize_t stride
    planes.count = count
    for i in range(count):
        try:
            data, stride = given[i]
        except (TypeError, ValueError) as error:
            raise ValueError(f"the {whose}'s plane {i} is not a buffer and its stride") from error
        if stride < widths[i]:
            raise ValueError(f"the {whose}'s plane {i}: a stride of {stride} is less than its width of {widths[i]}")
        if stride > MOST_ACROSS * 16:
            raise ValueError(f"the {whose}'s plane {i}: a stride of {stride} is too much")
        try:
            PyObject_GetBuffer(data, &planes.views[i], flags)
        except (BufferError, TypeError, ValueError) as error:
            raise ValueError(f"the {whose}'s plane {i}: {error}") from error
        planes.held = i + 1
        planes.at[i] = <uint8_t*>planes.views[i].buf
        planes.stride[i] = stride
        planes.size[i] = stride * (heights[i] - 1) + widths[i]
        if planes.views[i].len < planes.size[i]:
            raise ValueError(
                f"the {whose}'s plane {i} has {planes.views[i].len} bytes where {widths[i]}x{heights[i]} samples "
                f"with a stride of {stride} need {planes.size[i]}"
            )
    return 0


cdef int apart(const Planes* written, const Planes* read) except -1:
    """What is written must overlap nothing else."""
    cdef int i, j
    for i in range(written.count):
        for j in range(i):
            if overlap(written, i, written, j):
                raise ValueError(f"the target's planes {j} and {i} overlap")
        if read != NULL:
            for j in range(read.count):
                if overlap(written, i, read, j):
                    raise ValueError(f"the target's plane {i} overlaps the source's plane {j}")
    return 0


cdef bint overlap(const Planes* a, int i, const Planes* b, int j) noexcept:
    return a.at[i] < b.at[j] + b.size[j] and b.at[j] < a.at[i] + a.size[i]


cdef int size_of(str what, value) except -1:
    if not 1 <= value <= MOST_ACROSS:
        raise ValueError(f"{what} is {value}, not 1 to {MOST_ACROSS}")
    return value


cdef uint8_t level(str what, value) except? 0:
    if not 0 <= value <= 255:
        raise ValueError(f"{what} is {value}, not 0 to 255")
    return value


cdef int read_polygons(polygons* into, given, int width, int height) except -1:
    cdef int used = 0
    cdef double x, y
    given = tuple(given)
    if len(given) > MOST_POLYGONS:
        raise ValueError(f"{len(given)} polygons; the limit is {MOST_POLYGONS}")
    for number, polygon in enumerate(given):
        points = tuple(polygon)
        if len(points) < 3:
            raise ValueError(f"polygon {number} has {len(points)} points, which enclose nothing")
        if used + len(points) > MOST_POINTS:
            raise ValueError(f"more than {MOST_POINTS} points in all polygons")
        for x, y in points:
            if not (0 <= x <= 1 and 0 <= y <= 1):
                raise ValueError(f"polygon {number}: the point ({x}, {y}) is not within 0 to 1")
            # to the nearest, so that thirds of a picture end where a sample does
            into.points[used].x = <long long>(x * width * ONE + 0.5)
            into.points[used].y = <long long>(y * height * ONE + 0.5)
            used += 1
        into.ends[number] = used
    into.count = len(given)
    return 0


cdef class Scaler:
    """From pictures of one size and layout to 4:2:0 planes of another, not larger, size; keeps what it needs for that.

    ``width``, ``height``: of the source.  ``out_width``, ``out_height``: of the target, as it comes out, turned.
    ``layout``: one of `LAYOUTS`.  ``expand``: from 16..235 and 16..240 to 0..255, which JPEG has; else levels stay.
    ``turn``: clockwise, 0, 90, 180 or 270.  ``polygons``: each a list of points, as fractions of the source; what any
    of them encloses (even-odd, each by itself) or touches becomes ``fill`` (Y, U, V, as they come out).
    ``portable``: without AVX2, with the same result.  Raises ValueError.
    """

    cdef plan _plans[PLANES]
    cdef mask _masks[PLANES]
    cdef uint8_t _fill[PLANES]
    cdef int _widths[PLANES]
    cdef int _heights[PLANES]
    cdef int _target_widths[PLANES]
    cdef int _target_heights[PLANES]
    cdef int _source_planes, _turn
    cdef bint _gray, _semi, _busy
    cdef uint8_t* _parted  # U and V of NV12, one after the other
    cdef uint8_t* _upright  # what is to be turned, a plane after the other

    def __cinit__(self, width, height, out_width, out_height, *, str layout not None="420", bint expand=True,
                  turn=0, polygons=(), fill=(0, 128, 128), bint portable=False):
        cdef int w = size_of("width", width), h = size_of("height", height)
        cdef int shown_w = size_of("out_width", out_width), shown_h = size_of("out_height", out_height)
        cdef int ow, oh, across, down, beside, i
        if layout not in LAYOUTS:
            raise ValueError(f"layout is {layout!r}, not one of {', '.join(LAYOUTS)}")
        if turn not in (0, 90, 180, 270):
            raise ValueError(f"turn is {turn}, not 0, 90, 180 or 270")
        self._turn = turn
        ow, oh = (shown_h, shown_w) if turn in (90, 270) else (shown_w, shown_h)
        if ow > w or oh > h:
            raise ValueError(f"{w}x{h} cannot be made {ow}x{oh}: only smaller")
        self._source_planes, across, down, beside = LAYOUTS[layout]
        self._gray, self._semi = layout == "gray", beside == 2
        fill = tuple(fill)
        if len(fill) != PLANES:
            raise ValueError(f"fill has {len(fill)} levels, not Y, U and V")
        cdef int in_w[2]
        cdef int in_h[2]
        in_w[0], in_h[0] = w, h
        in_w[1], in_h[1] = (w + across - 1) // across, (h + down - 1) // down
        for i in range(PLANES):
            self._fill[i] = level("fill", fill[i])
            self._widths[i], self._heights[i] = in_w[i > 0] * (beside if i else 1), in_h[i > 0]
            self._target_widths[i] = (shown_w + 1) // 2 if i else shown_w
            self._target_heights[i] = (shown_h + 1) // 2 if i else shown_h
            if plan_make(&self._plans[i], in_w[i > 0], in_h[i > 0], (ow + 1) // 2 if i else ow,
                         (oh + 1) // 2 if i else oh, i > 0, expand, portable):
                raise MemoryError
        if self._semi:
            self._parted = <uint8_t*>calloc(2 * <size_t>in_w[1], in_h[1])
            if self._parted == NULL:
                raise MemoryError
        if turn:
            self._upright = <uint8_t*>calloc(<size_t>ow * oh + 2 * <size_t>((ow + 1) // 2) * ((oh + 1) // 2), 1)
            if self._upright == NULL:
                raise MemoryError
        polygons = tuple(polygons)
        if polygons:
            self._mask(polygons, across, down)

    cdef int _mask(self, tuple given, int across, int down) except -1:
        cdef polygons shapes
        cdef plan luma = self._plans[0], chroma = self._plans[1]
        cdef uint8_t* bitmap
        cdef uint8_t* chroma_bitmap
        cdef int failed
        memset(&shapes, 0, sizeof(shapes))
        read_polygons(&shapes, given, luma.in_width, luma.in_height)
        bitmap = <uint8_t*>calloc(luma.out_width, luma.out_height)
        chroma_bitmap = <uint8_t*>calloc(chroma.out_width, chroma.out_height)
        try:
            if bitmap == NULL or chroma_bitmap == NULL:
                raise MemoryError
            with nogil:
                mask_bitmap(bitmap, &shapes, axis(1, luma.in_width, luma.out_width),
                            axis(1, luma.in_height, luma.out_height), luma.in_height)
                mask_bitmap(chroma_bitmap, &shapes, axis(across, chroma.in_width, chroma.out_width),
                            axis(down, chroma.in_height, chroma.out_height), luma.in_height)
                mask_chroma(chroma_bitmap, chroma.out_width, bitmap, luma.out_width, luma.out_height)
                failed = mask_spans(&self._masks[0], bitmap, luma.out_width, luma.out_height)
                failed |= mask_spans(&self._masks[1], chroma_bitmap, chroma.out_width, chroma.out_height)
                failed |= mask_spans(&self._masks[2], chroma_bitmap, chroma.out_width, chroma.out_height)
            if failed:
                raise MemoryError
        finally:
            free(bitmap)
            free(chroma_bitmap)
        return 0

    def __dealloc__(self):
        cdef int i
        for i in range(PLANES):
            plan_free(&self._plans[i])
            mask_free(&self._masks[i])
        free(self._parted)
        free(self._upright)

    @property
    def sizes(self):
        """Width and height of the target's planes."""
        return [(self._target_widths[i], self._target_heights[i]) for i in range(PLANES)]

    def scale(self, source not None, target not None):
        """Each a sequence of planes, a plane its buffer and its stride in bytes.

        The source is only read.  Raises ValueError, before anything is written; RuntimeError in a second thread.
        """
        cdef Planes read, written
        memset(&read, 0, sizeof(read))
        memset(&written, 0, sizeof(written))
        if self._busy:
            raise RuntimeError("this scaler is at work in another thread")
        try:
            hold(&read, "source", source, self._source_planes, self._widths, self._heights, PyBUF_SIMPLE)
            hold(&written, "target", target, PLANES, self._target_widths, self._target_heights, PyBUF_WRITABLE)
            apart(&written, &read)
            # taking hold of a buffer may have run other code
            if self._busy:
                raise RuntimeError("this scaler is at work in another thread")
            self._busy = True
            try:
                with nogil:
                    self._run(&read, &written)
            finally:
                self._busy = False
        finally:
            release(&read)
            release(&written)

    cdef void _run(self, const Planes* read, const Planes* written) noexcept nogil:
        cdef const uint8_t* at[PLANES]
        cdef Py_ssize_t stride[PLANES]
        cdef uint8_t* to
        cdef uint8_t* upright = self._upright
        cdef Py_ssize_t to_stride
        cdef plan* each
        cdef int i
        for i in range(read.count):
            at[i], stride[i] = read.at[i], read.stride[i]
        if self._semi:
            each = &self._plans[1]
            at[1], at[2] = self._parted, self._parted + <Py_ssize_t>each.in_width * each.in_height
            stride[1] = stride[2] = each.in_width
            part(read.at[1], read.stride[1], self._parted, self._parted + <Py_ssize_t>each.in_width * each.in_height,
                 each.in_width, each.in_height)
        for i in range(PLANES):
            each = &self._plans[i]
            to, to_stride = written.at[i], written.stride[i]
            if self._turn:
                to, to_stride = upright, each.out_width
                upright += <Py_ssize_t>each.out_width * each.out_height
            if i and self._gray:
                blank(to, to_stride, each.out_width, each.out_height)
            else:
                plan_run(each, at[i], stride[i], to, to_stride)
            mask_fill(&self._masks[i], to, to_stride, self._fill[i])
            if self._turn == 180:
                turn_half(to, to_stride, written.at[i], written.stride[i], each.out_width, each.out_height)
            elif self._turn:
                turn_quarter(to, to_stride, written.at[i], written.stride[i], each.out_width, each.out_height,
                             self._turn == 90)


cdef void blank(uint8_t* at, Py_ssize_t stride, int width, int height) noexcept nogil:
    """Chroma of a source that has none."""
    cdef int y
    for y in range(height):
        memset(at + y * stride, 128, width)


cdef class Stamp:
    """Writing to burn into pictures, light with a dark edge one sample wide.

    ``alpha``: how much of each sample the writing covers, ``width`` x ``height`` bytes.  ``light``, ``dark``: levels of
    luma.  ``box``: how much of what is behind the writing is darkened, 0 to 255.  Raises ValueError.
    """

    cdef stamp _stamp

    def __cinit__(self, alpha not None, width, height, *, light=255, dark=0, box=0):
        cdef Planes given
        cdef int w = size_of("width", width), h = size_of("height", height)
        cdef int levels[3]
        if w > MOST_STAMP or h > MOST_STAMP:
            raise ValueError(f"writing of {w}x{h}; the limit is {MOST_STAMP}x{MOST_STAMP}")
        levels[0], levels[1], levels[2] = level("light", light), level("dark", dark), level("box", box)
        memset(&given, 0, sizeof(given))
        try:
            hold(&given, "writing", [(alpha, w)], 1, &w, &h, PyBUF_SIMPLE)
            self._stamp.width, self._stamp.height = w + 2, h + 2
            self._stamp.keep = <uint16_t*>calloc(<size_t>(w + 2) * (h + 2), sizeof(uint16_t))
            self._stamp.add = <uint16_t*>calloc(<size_t>(w + 2) * (h + 2), sizeof(uint16_t))
            if self._stamp.keep == NULL or self._stamp.add == NULL:
                raise MemoryError
            with nogil:
                stamp_make(&self._stamp, given.at[0], levels[0], levels[1], levels[2])
        finally:
            release(&given)

    def __dealloc__(self):
        free(self._stamp.keep)
        free(self._stamp.add)

    def put(self, planes not None, width, height, x, y):
        """Blend it into the 4:2:0 planes of a picture, its left upper corner at ``x``, ``y``, which may lie outside.

        Chroma becomes grey under it.  Raises ValueError, before anything is written.
        """
        cdef Planes written
        cdef int widths[PLANES]
        cdef int heights[PLANES]
        cdef int w = size_of("width", width), h = size_of("height", height), at_x, at_y, i
        if not (-MOST_ACROSS <= x <= MOST_ACROSS and -MOST_ACROSS <= y <= MOST_ACROSS):
            raise ValueError(f"the place ({x}, {y}) is not near the picture")
        at_x, at_y = x - 1, y - 1
        for i in range(PLANES):
            widths[i], heights[i] = (w + 1) // 2 if i else w, (h + 1) // 2 if i else h
        memset(&written, 0, sizeof(written))
        try:
            hold(&written, "target", planes, PLANES, widths, heights, PyBUF_WRITABLE)
            apart(&written, NULL)
            with nogil:
                stamp_put(&self._stamp, written.at[0], written.stride[0], &written.at[1], &written.stride[1],
                          w, h, at_x, at_y)
        finally:
            release(&written)
