/* regression_main.c: a plain main for fuzz targets: replays the files of corpus folders in the
 * ordinary test run. A folder that is missing, empty or unreadable fails the run. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

_Noreturn static void fail(const char *path, const char *why)
{
    fprintf(stderr, "cannot replay %s: %s\n", path, why);
    exit(1);
}

static bool is_folder(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0)
        fail(path, strerror(errno));
    return S_ISDIR(st.st_mode);
}

/* The buffer is exactly as long as the file, so that a sanitizer sees the first byte read beyond
 * it. */
static int replay_file(const char *path)
{
    struct stat st;
    FILE *file = fopen(path, "rb");
    if (file == NULL || fstat(fileno(file), &st) != 0)
        fail(path, strerror(errno));
    size_t size = (size_t)st.st_size;
    uint8_t *data = malloc(size > 0 ? size : 1);
    if (data == NULL || fread(data, 1, size, file) != size)
        fail(path, strerror(errno));
    fclose(file);
    (void)LLVMFuzzerTestOneInput(data, size);
    free(data);
    return 1;
}

static int replay_entry(const char *folder, const char *name)
{
    char path[PATH_MAX];
    int length = snprintf(path, sizeof(path), "%s/%s", folder, name);
    if (length < 0 || (size_t)length >= sizeof(path))
        fail(folder, "its path is too long");
    return is_folder(path) ? 0 : replay_file(path);
}

static int replay_folder(const char *folder)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, alphasort);
    if (count < 0)
        fail(folder, strerror(errno));
    int replayed = 0;
    for (int i = 0; i < count; i++) {
        replayed += replay_entry(folder, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    if (replayed == 0)
        fail(folder, "it holds no input");
    return replayed;
}

int main(int argc, char **argv)
{
    int replayed = 0;
    for (int i = 1; i < argc; i++)
        replayed += is_folder(argv[i]) ? replay_folder(argv[i]) : replay_file(argv[i]);
    if (replayed == 0)
        fail("nothing", "no corpus is given");
    printf("replayed %d inputs\n", replayed);
    return 0;
}
