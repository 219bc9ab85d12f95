#ifndef WELLWARD_BASELINE_H
#define WELLWARD_BASELINE_H
/* The same work in plain C on the same libraries: what the benches are measured against. */

/* Starts a libmodbus TCP server on a thread; it waits so long before each answer. Returns its port, or -1. */
int baseline_server(int port, int delay_microseconds);

/* Reads registers so many times; returns seconds, or -1 on a failed read. */
double baseline_modbus_reads(int port, int count, int registers);

/* Inserts rows in groups through the raw SQLite API, WAL and synchronous=FULL; returns seconds, or -1. */
double baseline_sqlite_rows(const char *path, int groups, int group_size);

/* Sends back on `back/...` whatever comes on `there/...`, on a thread, on libmosquitto alone. Returns 0, or -1. */
int baseline_mqtt_echo(int port);
#endif
