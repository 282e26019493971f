"""Real cameras: RTSP with H.264, H.265, JPEG and AAC (design §5.1).  A core without sockets, and its Trio driver.

Inside out: `errors`, `oddities`, `fields`, `urls`; `messages`, `sdp`, `auth`, `transport`, `rtcp` (the formats);
`client` (the conversation); `codecs`, `parameter_sets`, `video`, `jpeg`, `audio` (from packets to units); `line`,
`connection`, `source`, `probe` (sockets and time).
"""
