;; Never comes out of the start function of its core module.
(component
  (core module $case
    (func $spin (loop $again (br $again)))
    (start $spin)
    (func (export "run") (param i32) (result i32) (i32.const 0)))
  (core instance $case (instantiate $case))
  ;; include plugin.part
)
