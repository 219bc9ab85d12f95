// libcurl's options are set by a variadic call, which Swift cannot make: one small function for each type of value.
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

static inline CURLcode wellward_curl_text(CURL *handle, CURLoption option, const char *value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode wellward_curl_number(CURL *handle, CURLoption option, long value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode wellward_curl_list(CURL *handle, CURLoption option, struct curl_slist *value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode wellward_curl_reader(CURL *handle, size_t (*read)(char *, size_t, size_t, void *), void *data) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_READFUNCTION, read);
    return code == CURLE_OK ? curl_easy_setopt(handle, CURLOPT_READDATA, data) : code;
}

// The listener hears the commands and replies of a conversation (CURLINFO_HEADER_OUT, CURLINFO_HEADER_IN) among other things.
static inline CURLcode wellward_curl_listener(
    CURL *handle, int (*listener)(CURL *, curl_infotype, char *, size_t, void *), void *data) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_DEBUGFUNCTION, listener);
    if (code == CURLE_OK) code = curl_easy_setopt(handle, CURLOPT_DEBUGDATA, data);
    return code == CURLE_OK ? curl_easy_setopt(handle, CURLOPT_VERBOSE, 1L) : code;
}
