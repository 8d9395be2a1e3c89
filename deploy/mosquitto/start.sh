#!/bin/sh
# Make the broker's password file and rights from the environment, then become the broker.
#
# printf is built into the shell, and mosquitto_passwd -U hashes the file in place: no password becomes an argument of
# a process.
set -eu
case "$MQTT_PLUG_USER$MQTT_PLUG_PASSWORD$MQTT_USER$MQTT_PASSWORD" in
    *:*) echo "MQTT_…: a name or password holds a colon, which mosquitto's password file cannot" >&2; exit 1 ;;
esac
umask 077
passwords=/mosquitto/data/passwords
printf '%s:%s\n%s:%s\n' "$MQTT_PLUG_USER" "$MQTT_PLUG_PASSWORD" "$MQTT_USER" "$MQTT_PASSWORD" > "$passwords"
mosquitto_passwd -U "$passwords"
printf 'user %s\ntopic readwrite #\n\nuser %s\ntopic read #\n' "$MQTT_PLUG_USER" "$MQTT_USER" > /mosquitto/data/acl
chown mosquitto:mosquitto "$passwords" /mosquitto/data/acl
unset MQTT_PLUG_PASSWORD MQTT_PASSWORD
exec mosquitto -c /mosquitto/config/mosquitto.conf
