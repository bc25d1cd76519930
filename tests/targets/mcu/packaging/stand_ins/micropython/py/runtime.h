/* In the place of MicroPython's py/runtime.h: what the module uses, with the types that MicroPython gives it. */
#include <stddef.h>
#include <stdint.h>

typedef void *mp_obj_t;
typedef const void *mp_const_obj_t;
typedef intptr_t mp_int_t;
typedef double mp_float_t;
typedef unsigned char byte;
typedef size_t qstr;
typedef struct {
    const void *type;
} mp_obj_base_t;
typedef struct {
    void *buf;
    size_t len;
    int typecode;
} mp_buffer_info_t;
typedef struct {
    mp_const_obj_t key;
    mp_const_obj_t value;
} mp_rom_map_elem_t;
typedef struct {
    size_t used;
    const mp_rom_map_elem_t *table;
} mp_obj_dict_t;
typedef struct {
    mp_obj_base_t base;
    mp_obj_dict_t *globals;
} mp_obj_module_t;
typedef struct {
    mp_obj_base_t base;
    union {
        mp_obj_t (*of_0)(void);
        mp_obj_t (*of_1)(mp_obj_t);
    } fun;
} mp_obj_fun_builtin_fixed_t;

#define MICROPY_PY_BUILTINS_FLOAT 1
#define MP_BUFFER_READ 1
#define MP_ERROR_TEXT(text) text
enum {
    MP_QSTR___name__,
    MP_QSTR_edgeml_net,
    MP_QSTR_INPUTS,
    MP_QSTR_OUTPUTS,
    MP_QSTR_invoke,
    MP_QSTR_outputs,
    MP_QSTR_label,
    MP_QSTR_self_test,
    MP_QSTR_quantize
};
#define MP_ROM_QSTR(q) ((const void *)(uintptr_t)(q))
#define MP_ROM_INT(i) ((const void *)(uintptr_t)(i))
#define MP_ROM_PTR(p) (p)
#define MP_DEFINE_CONST_FUN_OBJ_0(name, function) \
    const mp_obj_fun_builtin_fixed_t name = {{0}, {.of_0 = function}}
#define MP_DEFINE_CONST_FUN_OBJ_1(name, function) \
    const mp_obj_fun_builtin_fixed_t name = {{0}, {.of_1 = function}}
#define MP_DEFINE_CONST_DICT(name, elements) \
    const mp_obj_dict_t name = {sizeof elements / sizeof elements[0], elements}
#define MP_REGISTER_MODULE(name, module) extern const int module##_is_registered

extern const int mp_type_module;
void mp_get_buffer_raise(mp_obj_t object, mp_buffer_info_t *buffer, unsigned flags);
void mp_raise_ValueError(const char *text);
mp_obj_t mp_obj_new_int(mp_int_t value);
mp_obj_t mp_obj_new_list(size_t count, mp_obj_t *items);
mp_obj_t mp_obj_list_append(mp_obj_t list, mp_obj_t item);
mp_obj_t mp_obj_new_str(const char *text, size_t length);
mp_obj_t mp_obj_new_bytes(const byte *bytes, size_t length);
mp_int_t mp_obj_get_int(mp_const_obj_t object);
mp_float_t mp_obj_get_float(mp_obj_t object);
void mp_obj_get_array(mp_obj_t object, size_t *count, mp_obj_t **items);
