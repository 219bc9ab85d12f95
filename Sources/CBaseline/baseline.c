#define _GNU_SOURCE
#include "baseline.h"
#include <modbus/modbus.h>
#include <mosquitto.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

struct server { modbus_t *context; modbus_mapping_t *mapping; int listener; int delay; };

static void *serve(void *raw) {
    struct server *s = raw;
    uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
    for (;;) {
        if (modbus_tcp_accept(s->context, &s->listener) < 0) break;
        for (;;) {
            int count = modbus_receive(s->context, query);
            if (count < 0) break;
            if (s->delay > 0) usleep(s->delay);
            if (count > 0) modbus_reply(s->context, query, count, s->mapping);
        }
        modbus_close(s->context);
    }
    return NULL;
}

int baseline_server(int port, int delay) {
    struct server *s = calloc(1, sizeof *s);
    s->context = modbus_new_tcp("127.0.0.1", port);
    s->mapping = modbus_mapping_new(0, 0, 200, 200);
    s->delay = delay;
    s->listener = s->context ? modbus_tcp_listen(s->context, 4) : -1;
    pthread_t thread;
    if (s->listener < 0 || !s->mapping || pthread_create(&thread, NULL, serve, s) != 0) return -1;
    pthread_detach(thread);
    return port;
}

double baseline_modbus_reads(int port, int count, int registers) {
    modbus_t *context = modbus_new_tcp("127.0.0.1", port);
    uint16_t words[128];
    if (!context || modbus_connect(context) != 0) return -1;
    modbus_set_slave(context, 1);
    double began = seconds();
    for (int i = 0; i < count; i++)
        if (modbus_read_registers(context, 0, registers, words) != registers) return -1;
    double took = seconds() - began;
    modbus_close(context);
    modbus_free(context);
    return took;
}

double baseline_sqlite_rows(const char *path, int groups, int group_size) {
    sqlite3 *db;
    sqlite3_stmt *insert;
    uint8_t raw[4] = {0x4C, 0x39, 0, 1};
    if (sqlite3_open(path, &db) != SQLITE_OK) return -1;
    sqlite3_exec(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-1024;"
                     "CREATE TABLE series(id INTEGER PRIMARY KEY);"
                     "CREATE TABLE readings(series INTEGER NOT NULL REFERENCES series(id), at INTEGER NOT NULL, received INTEGER NOT NULL, device INTEGER,"
                     "value REAL, quality INTEGER NOT NULL, raw BLOB, PRIMARY KEY(series, at)) STRICT, WITHOUT ROWID;"
                     "INSERT INTO series VALUES (1), (2), (3), (4), (5), (6), (7), (8), (9), (10);", 0, 0, 0);
    if (sqlite3_prepare_v2(db, "INSERT OR IGNORE INTO readings VALUES (?,?,?,?,?,?,?)", -1, &insert, 0) != SQLITE_OK) return -1;
    double began = seconds();
    for (int g = 0; g < groups; g++) {
        sqlite3_exec(db, "BEGIN IMMEDIATE", 0, 0, 0);
        for (int i = 0; i < group_size; i++) {
            int64_t at = (int64_t)(g * group_size + i) * 1000;
            sqlite3_bind_int64(insert, 1, i % 10 + 1);
            sqlite3_bind_int64(insert, 2, at);
            sqlite3_bind_int64(insert, 3, at);
            sqlite3_bind_null(insert, 4);
            sqlite3_bind_double(insert, 5, (double)i);
            sqlite3_bind_int64(insert, 6, 0);
            sqlite3_bind_blob(insert, 7, raw, 4, SQLITE_STATIC);
            if (sqlite3_step(insert) != SQLITE_DONE) return -1;
            sqlite3_reset(insert);
        }
        if (sqlite3_exec(db, "COMMIT", 0, 0, 0) != SQLITE_OK) return -1;
    }
    double took = seconds() - began;
    sqlite3_finalize(insert);
    sqlite3_close(db);
    return took;
}

static void echo_connected(struct mosquitto *m, void *context, int code) {
    (void)context;
    if (code == 0) mosquitto_subscribe(m, NULL, "there/#", 1);
}

static void echo_message(struct mosquitto *m, void *context, const struct mosquitto_message *message) {
    (void)context;
    char topic[256];
    snprintf(topic, sizeof topic, "back/%s", message->topic + 6);
    mosquitto_publish(m, NULL, topic, message->payloadlen, message->payload, 1, false);
}

int baseline_mqtt_echo(int port) {
    mosquitto_lib_init();
    struct mosquitto *m = mosquitto_new("c-echo", true, NULL);
    if (!m) return -1;
    mosquitto_int_option(m, MOSQ_OPT_TCP_NODELAY, 1);
    mosquitto_connect_callback_set(m, echo_connected);
    mosquitto_message_callback_set(m, echo_message);
    if (mosquitto_connect(m, "127.0.0.1", port, 60) != MOSQ_ERR_SUCCESS) return -1;
    return mosquitto_loop_start(m) == MOSQ_ERR_SUCCESS ? 0 : -1;
}
