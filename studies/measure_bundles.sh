#!/bin/sh
# Measures the bundled models anew and keeps the figures in their measured.json and cards:
# studies/measure_bundles.sh DATA OUT [MODEL ...]
# DATA holds ultrasound/BUSI, ultrasound/BUS-BRA, ultrasound/BUS-UCLM and mammography/CDD-CESM; OUT gets the reports.
set -eu
data=$1 out=$2
shift 2
busi="BUSI=$data/ultrasound/BUSI" bra="BUS-BRA=$data/ultrasound/BUS-BRA" cdd="$data/mammography/CDD-CESM"

measure() {  # PROTOCOL, DATA and SPLIT, then more options
    protocol=$1 set=$2 cases=$3
    shift 3
    breastseg evaluate "src/breastseg/bundles/$model" --write "$protocol" --data "$set" --split "$cases" "$@" --threads 1 --quiet \
        --out "$out/$model/$(echo "$protocol" | tr -cd 'A-Za-z0-9')"
}

for model in ${*:-ultrasound ultrasound-fast ultrasound-prompt mammography}; do
    case $model in
    ultrasound | ultrasound-fast)
        measure "BUSI, part 'test'" "$busi" "split:recipes/splits/busi.json#test"
        measure "BUS-BRA, fold 4" "$bra" fold:4
        measure "BUS-UCLM, part 'test'" "BUS-UCLM=$data/ultrasound/BUS-UCLM" "split:recipes/splits/bus-uclm.json#test"
        if test "$model" = ultrasound-fast; then
            measure "BUSI, part 'val', watched in training" "$busi" "split:recipes/splits/busi.json#val"
        fi
        ;;
    ultrasound-prompt)
        for one in "BUSI, part 'test'|$busi|split:recipes/splits/busi.json#test" "BUS-BRA, fold 4|$bra|fold:4" \
            "BUS-UCLM, part 'test'|BUS-UCLM=$data/ultrasound/BUS-UCLM|split:recipes/splits/bus-uclm.json#test"; do
            IFS='|' read -r name set cases <<END
$one
END
            measure "$name" "$set" "$cases"
            measure "$name, a box around each lesion" "$set" "$cases & lesions" --prompt box
        done
        ;;
    mammography)
        measure "CDD-CESM, fold 2, DM and CM" "CDD-CESM=$cdd" fold:2
        measure "CDD-CESM, fold 2, DM alone" "CDD-CESM-DM=$cdd" fold:2
        measure "CDD-CESM, fold 2, images whose findings are masses alone" "CDD-CESM=$cdd" \
            list:recipes/splits/cdd-cesm/val-masses.txt
        ;;
    esac
done
