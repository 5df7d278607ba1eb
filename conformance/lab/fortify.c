/* What a static library that was compiled against glibc with _FORTIFY_SOURCE (Debian's libunwind.a) calls and musl
 * lacks: the same functions, without the checks. */
#include <stdarg.h>
#include <stdio.h>

int __vfprintf_chk(FILE *file, int flag, const char *format, va_list list)
{
	(void)flag;
	return vfprintf(file, format, list);
}

int __vsnprintf_chk(char *to, size_t size, int flag, size_t known, const char *format, va_list list)
{
	(void)flag;
	(void)known;
	return vsnprintf(to, size, format, list);
}

int __fprintf_chk(FILE *file, int flag, const char *format, ...)
{
	va_list list;
	va_start(list, format);
	int result = __vfprintf_chk(file, flag, format, list);
	va_end(list);
	return result;
}

int __snprintf_chk(char *to, size_t size, int flag, size_t known, const char *format, ...)
{
	va_list list;
	va_start(list, format);
	int result = __vsnprintf_chk(to, size, flag, known, format, list);
	va_end(list);
	return result;
}
