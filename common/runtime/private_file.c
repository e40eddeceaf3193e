/* private_file.c: see private_file.h. */
#include "common/runtime/private_file.h"

#include <sys/stat.h>

static bool is_private(FILE *file)
{
    struct stat status;
    return fstat(fileno(file), &status) == 0 && (status.st_mode & (S_IROTH | S_IWOTH)) == 0;
}

enum outcome private_file_open(const char *setting, const char *path, FILE **out, struct err *err)
{
    *out = fopen(path, "rbe");
    if (*out == NULL)
        return err_set(err, OUTCOME_FATAL, "key_unreadable", "%s: cannot read %s", setting, path);
    if (is_private(*out))
        return OUTCOME_OK;
    fclose(*out);
    *out = NULL;
    return err_set(err, OUTCOME_FATAL, "key_not_private",
                   "%s: every user of this machine can read %s; `chmod 600` it, and take another "
                   "key if someone may have read it",
                   setting, path);
}
