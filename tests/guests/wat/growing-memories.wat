;; Grows three memories by the number of pages each, and traps where one does not get them.
(component
  (core module $grower
    (memory 1)
    (func (export "grow") (param $pages i32)
      (if (i32.eq (memory.grow (local.get $pages)) (i32.const -1)) (then (unreachable)))))
  (core instance $first (instantiate $grower))
  (core instance $second (instantiate $grower))
  (core instance $third (instantiate $grower))
  (core module $case
    (import "first" "grow" (func $first (param i32)))
    (import "second" "grow" (func $second (param i32)))
    (import "third" "grow" (func $third (param i32)))
    (func (export "run") (param $n i32) (result i32)
      (call $first (local.get $n))
      (call $second (local.get $n))
      (call $third (local.get $n))
      (i32.const 0)))
  (core instance $case (instantiate $case
    (with "first" (instance $first)) (with "second" (instance $second)) (with "third" (instance $third))))
  ;; include plugin.part
)
