;; Grows a table by the number of elements, and traps where it does not get them.
(component
  (core module $case
    (table $table 0 funcref)
    (func (export "run") (param $n i32) (result i32)
      (if (i32.eq (table.grow $table (ref.null func) (local.get $n)) (i32.const -1)) (then (unreachable)))
      (i32.const 0)))
  (core instance $case (instantiate $case))
  ;; include plugin.part
)
