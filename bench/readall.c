/* Reads every page of a dump through libkdumpfile, to compare with. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <libkdumpfile/kdumpfile.h>

int main(int argc, char **argv)
{
    kdump_ctx_t *ctx = kdump_new();
    int fd = argc == 2 ? open(argv[1], O_RDONLY) : -1;
    kdump_attr_t page_size, map;
    unsigned long count = 0;
    char *buffer;

    if (!ctx || fd < 0 || kdump_set_number_attr(ctx, KDUMP_ATTR_FILE_FD, fd) != KDUMP_OK) {
        fprintf(stderr, "cannot open: %s\n", ctx ? kdump_get_err(ctx) : "");
        return 1;
    }
    page_size.type = KDUMP_NUMBER;
    map.type = KDUMP_BITMAP;
    if (kdump_get_typed_attr(ctx, KDUMP_ATTR_PAGE_SIZE, &page_size) != KDUMP_OK || kdump_get_typed_attr(ctx, KDUMP_ATTR_FILE_PAGEMAP, &map) != KDUMP_OK) {
        fprintf(stderr, "no page size or map: %s\n", kdump_get_err(ctx));
        return 1;
    }
    buffer = malloc(page_size.val.number);
    for (kdump_addr_t pfn = 0; kdump_bmp_find_set(map.val.bitmap, &pfn) == KDUMP_OK; pfn++) {
        size_t size = page_size.val.number;
        if (kdump_read(ctx, KDUMP_MACHPHYSADDR, pfn * page_size.val.number, buffer, &size) == KDUMP_OK)
            count++;
    }
    printf("%lu pages\n", count);
    return 0;
}
