"""The simulated Binance: its wire format by real HTTP and WebSocket, with clients of its own and with ccxt."""
