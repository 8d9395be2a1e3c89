"""What meters say over MQTT: payloads into readings. Pure, and safe with whatever anybody publishes."""
