"""Where the sandbox listens unless told otherwise, on loopback."""

CONTROL_PORT = 8100
FO_PORT = 8101
MAGENTO_PORT = 8103
ENTRA_PORT = 8104
