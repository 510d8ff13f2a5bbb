// The same for arm64. x0 holds the dynamic linker's end and stays.
        mov     x9, sp                  // argc, argv, null, envp, null
        ldr     x10, [x9]
        add     x11, x9, x10, lsl #3
        add     x11, x11, #16           // envp
        ldr     x12, command
        mov     x13, #0
next:   ldr     x14, [x11]
        cbz     x14, counted
        ldr     x15, [x14]
        cmp     x15, x12
        b.ne    other
        mov     x13, #1
other:  add     x11, x11, #8
        b       next
counted:
        cbz     x13, begin
        sub     x14, x11, x9            // bytes of argc, argv, null, envp
        add     x15, x14, #16
        sub     x15, x9, x15
        and     x15, x15, #-16
        mov     sp, x15
copy:   ldr     x14, [x9], #8
        str     x14, [x15], #8
        cmp     x9, x11
        b.ne    copy
        adr     x14, variable
        stp     x14, xzr, [x15]
        mov     x9, sp
        add     x9, x9, x10, lsl #3
        add     x9, x9, #16
        ldr     x14, environ
        str     x9, [x14]
begin:  ldr     x14, entry
        br      x14
        .balign 8
command: .ascii "CNI_COMM"
variable: .asciz "BUN_JSC_useJIT=0"
        .balign 8
environ: .quad  0
entry:  .quad   0
