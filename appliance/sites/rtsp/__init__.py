"""Real cameras: RTSP over TCP with H.264, H.265 and AAC (design §5.1).  A core without sockets, and its Trio driver.

Inside out: `errors`, `oddities`, `fields`, `urls`; `messages`, `sdp`, `auth`, `transport`, `rtcp` (the formats);
`client` (the conversation); `codecs`, `parameter_sets`, `video`, `audio` (from packets to units); `connection`,
`source`, `probe` (sockets and time).
"""
