#!/bin/sh
# Makes the reports of this folder anew, all or those named: docs/comparison/make.sh DATA RUNS [REPORT ...]
# DATA holds ultrasound/BUSI, ultrasound/BUS-BRA and mammography/CDD-CESM. RUNS keeps what has been computed: the same
# call continues a run that was stopped, and after a change of one method computes only that one. On two cores without
# other work a report takes one to three minutes. Only phantoms.html shows images, and they are generated.
set -eu
data=$1 runs=$2
shift 2
classical="ellipse saliency otsu multi-otsu local-threshold max-entropy k-means fuzzy-c-means region-growing canny sobel
  watershed chan-vese geodesic-contour polar-path random-walker grab-cut slic"
busi="BUSI=$data/ultrasound/BUSI" bra="BUS-BRA=$data/ultrasound/BUS-BRA"
cdd="$data/mammography/CDD-CESM"
mkdir -p "$runs"

compare() { breastseg compare "$@" --workers "${WORKERS:-0}" --quiet --out "$runs/$report"; }

for report in ${*:-phantoms busi-automatic busbra4-automatic busbra4-box cdd-automatic cdd-box}; do
    case $report in
    phantoms)
        test -d "$runs/scans" || breastseg data phantom "$runs/scans" --count 30 --seed 11
        compare ellipse otsu canny watershed chan-vese grab-cut polar-path ultrasound ultrasound-fast \
            --data folder="$runs/scans" --baseline ultrasound
        ;;
    busi-automatic)
        compare $classical ultrasound-fast ultrasound --data "$busi" --split split:recipes/splits/busi.json#test \
            --baseline ultrasound --no-images
        ;;
    busbra4-automatic)
        compare $classical ultrasound-fast ultrasound --data "$bra" --split fold:4 --baseline ultrasound --no-images
        ;;
    cdd-automatic)
        compare $classical mammography --preset mammography --data CDD-CESM="$cdd" --split fold:2 \
            --baseline mammography --no-images
        ;;
    cdd-box)
        compare $classical --preset mammography --data CDD-CESM-DM="$cdd" --split fold:2 --prompt box \
            --baseline ellipse --no-images
        ;;
    busbra4-box) compare $classical --data "$bra" --split fold:4 --prompt box --baseline ellipse --no-images ;;
    *)
        echo "$report: no such report" >&2
        exit 2
        ;;
    esac
    cp "$runs/$report/report.html" "docs/comparison/$report.html"
done
