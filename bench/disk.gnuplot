# How long it takes to read a log again, by its length. Called by scripts/plot.
set datafile separator ","
set terminal svg size 760,440 font "sans-serif,13" background "white"
set output out
set key top left
set grid xtics ytics linecolor "#dddddd"
set logscale xy
set format x "10^{%T}"
set xlabel "entries in the log, puts of 256 bytes"
set ylabel "until the log is in memory, s"
set xrange [700:1500000]
plot data skip 1 using 1:3:4:5 with yerrorbars linecolor "#1f5fa8" pointtype 7 notitle, \
     data skip 1 using 1:3 with lines linecolor "#1f5fa8" title "median, least and most", \
     x / 500000 with lines linecolor "#999999" dashtype 2 title "a million in 2 s"
