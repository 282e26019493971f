# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Pictures in the colours of HDTV (ITU-R BT.709) or UHDTV (BT.2020), in place to those that JPEG has (BT.601): 4:2:0,
full range.

One call a picture.  Oracle: tests/reference/colour.py.
"""
from libc.stdint cimport int16_t, int32_t, uint8_t
from libc.stdlib cimport free, malloc

cdef enum:
    ROUND = 1 << 15

# To R'G'B' and from there to BT.601, in 1/65536: what each new sample has of the old U and V
cdef struct Matrix:
    int32_t y_u, y_v, u_u, u_v, v_u, v_v

cdef Matrix BT709 = Matrix(6657, 12850, 64871, -7252, -4748, 64448)
cdef Matrix BT2020 = Matrix(7726, 6915, 65222, -3903, -5511, 63997)


cdef inline uint8_t clip(int32_t value) noexcept nogil:
    return <uint8_t>(0 if value < 0 else 255 if value > 255 else value)


cdef void brighten(uint8_t* line, const int16_t* more, Py_ssize_t width) noexcept nogil:
    cdef Py_ssize_t at
    cdef int32_t value
    for at in range(width):
        value = line[at] + more[at]
        line[at] = clip(value)


cdef void convert(
    uint8_t* y, uint8_t* u, uint8_t* v, Py_ssize_t width, Py_ssize_t height, Py_ssize_t half, int16_t* more,
    Matrix by,
) noexcept nogil:
    """``more``: room for a row, rounded up to an even width.  Loops are kept simple: compilers make vectors of them."""
    cdef Py_ssize_t row, at
    cdef int32_t cu, cv
    for row in range((height + 1) // 2):
        for at in range(half):
            cu, cv = <int32_t>u[at] - 128, <int32_t>v[at] - 128
            more[2 * at] = more[2 * at + 1] = <int16_t>((by.y_u * cu + by.y_v * cv + ROUND) >> 16)
            u[at] = clip(128 + ((by.u_u * cu + by.u_v * cv + ROUND) >> 16))
            v[at] = clip(128 + ((by.v_u * cu + by.v_v * cv + ROUND) >> 16))
        brighten(y, more, width)
        if 2 * row + 1 < height:
            brighten(y + width, more, width)
        y += 2 * width
        u += half
        v += half


def to_bt601(
    uint8_t[:, ::1] y not None, uint8_t[:, ::1] u not None, uint8_t[:, ::1] v not None, *, bint bt2020=False
):
    """Convert the planes in place, from BT.709 or BT.2020.  Raises ValueError where they are not those of one 4:2:0
    picture."""
    cdef Py_ssize_t height = y.shape[0], width = y.shape[1], high = (height + 1) // 2, wide = (width + 1) // 2
    if u.shape[0] != high or u.shape[1] != wide or v.shape[0] != high or v.shape[1] != wide or not height or not width:
        raise ValueError("planes of different pictures")
    cdef int16_t* more = <int16_t*>malloc(2 * wide * sizeof(int16_t))
    if more == NULL:
        raise MemoryError
    with nogil:
        convert(&y[0, 0], &u[0, 0], &v[0, 0], width, height, wide, more, BT2020 if bt2020 else BT709)
    free(more)
