"""Where the one-file program begins."""

from appliance.__main__ import main

main()
