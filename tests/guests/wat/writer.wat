;; Writes state: of the number n, sixteen times in eight bytes each, under the key `kNNN` where NNN is n
;; modulo 500. It is small, so that a server with it starts in a moment.
(component
  (import "hubcap:plugin/kv@1.0.0" (instance $kv
    (type $meta (list (tuple string string)))
    (type $error' (record (field "code" string) (field "message" string) (field "meta" $meta)))
    (export "error" (type $error (eq $error')))
    (export "set" (func (param "key" string) (param "value" (list u8)) (result (result (error $error)))))
  ))
  (core module $room
    (memory (export "memory") 1)
    (global $free (mut i32) (i32.const 4096))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
      (global.set $free (i32.add (local.get $at) (local.get 3)))
      (local.get $at)))
  (core instance $room (instantiate $room))
  (alias core export $room "memory" (core memory $memory'))
  (alias core export $room "realloc" (core func $realloc'))
  (core func $set (canon lower (func $kv "set") (memory $memory') (realloc $realloc')))
  (core module $case
    (import "room" "memory" (memory 1))
    (import "kv" "set" (func $set (param i32 i32 i32 i32 i32)))
    (data (i32.const 16) "k")
    (func $digit (param $at i32) (param $n i32)
      (i32.store8 (local.get $at)
        (i32.add (i32.const 48) (i32.rem_u (local.get $n) (i32.const 10)))))
    (func (export "run") (param $n i32) (result i32)
      (local $slot i32) (local $at i32)
      (local.set $slot (i32.rem_u (local.get $n) (i32.const 500)))
      (call $digit (i32.const 17) (i32.div_u (local.get $slot) (i32.const 100)))
      (call $digit (i32.const 18) (i32.div_u (local.get $slot) (i32.const 10)))
      (call $digit (i32.const 19) (local.get $slot))
      (local.set $at (i32.const 64))
      (loop $more
        (i64.store (local.get $at) (i64.extend_i32_u (local.get $n)))
        (local.set $at (i32.add (local.get $at) (i32.const 8)))
        (br_if $more (i32.lt_u (local.get $at) (i32.const 192))))
      (call $set (i32.const 16) (i32.const 4) (i32.const 64) (i32.const 128) (i32.const 256))
      ;; What was refused is not acknowledged.
      (if (i32.load8_u (i32.const 256)) (then unreachable))
      (i32.const 0)))
  (core instance $case (instantiate $case
    (with "room" (instance $room))
    (with "kv" (instance (export "set" (func $set))))))
  ;; include plugin.part
)
